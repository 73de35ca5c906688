// What init's side does when the server ends: another one in its place, with what the first had; or the end of the job.
// The stand-in server mounts nothing: what is seen is the launcher's work alone.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { WATCH } from '../../src/launcher/stranded-server.ts';
import { outcome, shells, until, Workplace } from '../launcher/job.ts';

const place = new Workplace();
test.after.always(() => place.close());

/** Longer than what counts as a failure. */
const A_WHILE = 1200;
const withoutPidNamespace = 'mount -t tmpfs -o ro tmpfs /proc/acpi 2>/dev/null || mount -t tmpfs -o ro tmpfs /proc/bus';

/** undefined for what is not written to its end. */
function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The letter of /proc/PID/stat: of the first thread. */
function stateOf(pid: number): string {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
}

/** The pid of the running server, which is not `former`. */
async function server(former?: number): Promise<number> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    for (const pid of place.processes()) {
      try {
        if (pid !== former && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('start.cjs\0server')) return pid;
      } catch {
        // gone
      }
    }
    await sleep(5);
  }
  throw new Error('no server');
}

for (const shell of shells) {
  test.serial(`${shell}: a server of which only a thread in the kernel is left is not waited for`, async (t) => {
    const script = 'echo up; read -r line; exit 7';
    const stranded = `stranded=${Buffer.from(WATCH).toString('base64')}`;
    const child = place.spawn([place.program, 'a.b', stranded, '--', 'sh', '-c', script], { shell });
    t.teardown(() => child.kill('SIGKILL'));
    const ended = outcome(child);
    await until(child, 'up');
    const first = await server();
    for (const deadline = Date.now() + 20_000; stateOf(first) !== 'Z'; await sleep(20)) {
      if (Date.now() > deadline) return t.fail('its first thread did not end');
    }
    const second = await server(first);
    t.is(stateOf(first), 'Z', 'it is still there');
    await sleep(A_WHILE);
    // That one, too, can be killed.
    process.kill(second, 'SIGKILL');
    await server(second);
    child.stdin?.end('go on\n');
    const { code, stderr } = await ended;
    t.is(stderr, 'cvmfsexec: the file system server ended (signal 9); a new one takes over\n'.repeat(2));
    t.is(code, 7);
  });

  for (const host of shells.length > 1 ? [undefined, withoutPidNamespace] : [undefined]) {
    const where = host ? ' without a pid namespace' : '';
    test.serial(`${shell}: a killed server is followed by another${where}, and the job goes on`, async (t) => {
      const script = 'echo up; read -r line; ls -l /proc/self/fd/ 2>/dev/null | grep -c fuse; exit 7';
      const child = place.spawn([place.program, 'a.b', 'c.d', '--', 'sh', '-c', script], { shell, host });
      const ended = outcome(child);
      await until(child, 'up');
      await sleep(A_WHILE);
      let pid: number | undefined;
      for (let i = 0; i < 2; i++) {
        pid = await server(pid);
        process.kill(pid, 'SIGKILL');
      }
      await server(pid);
      child.stdin?.end('go on\n');
      const { code, stdout, stderr } = await ended;
      t.is(stderr, 'cvmfsexec: the file system server ended (signal 9); a new one takes over\n'.repeat(2));
      t.is(stdout.toString(), 'up\n0\n');
      t.is(code, 7);
      t.deepEqual(await place.leftovers(), []);
    });
  }

  test.serial(`${shell}: three failures in a row end the job, with a reason`, async (t) => {
    for (const words of [['dies=60'], ['dies=1300', 'lame=1']]) {
      const { code, stderr } = await place.run([place.program, 'a.b', ...words, '--', 'sleep', '100'], { shell });
      t.is(code, 125);
      t.regex(
        stderr,
        /^(cvmfsexec: [^\n]* takes over\n){2,3}cvmfsexec: [^\n]* unexpectedly \(signal 9\), three times in a row[^\n]*\n$/,
      );
      t.deepEqual(await place.leftovers(), []);
    }
  });

  test.serial(`${shell}: a server that is killed during the start is followed by another`, async (t) => {
    for (const delay of [0, 5, 20, 60]) {
      const child = place.spawn([place.program, 'a.b', 'wait=200', '--', 'sh', '-c', 'echo up; exit 4'], { shell });
      const ended = outcome(child);
      const pid = await server();
      await sleep(delay);
      process.kill(pid, 'SIGKILL');
      const { code, stdout } = await ended;
      t.is(stdout.toString(), 'up\n', `after ${delay} ms`);
      t.is(code, 4);
      t.deepEqual(await place.leftovers(), []);
    }
  });

  test.serial(
    `${shell}: a signal that the caller ignores, and that comes before the server can, does not end the job`,
    async (t) => {
      const script = `trap '' HUP; exec "$@"`;
      const job = [place.program, 'a.b', '--', 'sh', '-c', 'echo up; exit 4'];
      for (let i = 0; i < 4; i++) {
        const child = place.spawn(['sh', '-c', script, 'sh', ...job], { shell });
        const ended = outcome(child);
        process.kill(await server(), 'SIGHUP');
        const { code, stdout, stderr } = await ended;
        t.is(stderr.replace(/^.*: line \d+: .* Hangup .*\n/, ''), '', 'bash itself remarks it');
        t.is(stdout.toString(), 'up\n');
        t.is(code, 4);
      }
    },
  );

  test.serial(`${shell}: kill -9 of all but the server, while there is none, leaves nothing`, async (t) => {
    for (let i = 0; i < 5; i++) {
      const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'echo up; exec sleep 100'], { shell });
      const ended = outcome(child);
      await until(child, 'up');
      process.kill(await server(), 'SIGKILL');
      await sleep(5 * i);
      child.kill('SIGKILL');
      await ended;
      t.deepEqual(await place.leftovers(), []);
    }
  });

  test.serial(`${shell}: descriptors are held beside those that the caller has open`, async (t) => {
    const names = Array.from({ length: 8 }, (_, i) => `r${i}.b`);
    const note = join(place.scratch, 'note');
    const script = `exec 10</dev/null 20</dev/null; "$@"`;
    const job = [place.program, ...names, `note=${note}`, '--', 'true'];
    const { code, stderr } = await place.run(['bash', '-c', script, 'bash', ...job], { shell });
    t.is(code, 0, stderr);
    const { CVMFSEXEC_DESCRIPTORS: held } = JSON.parse(readFileSync(note, 'utf8')).environment;
    t.true(held.trim().split(' ').length >= names.length, held);
    t.notRegex(held, /\b(?:10|20)\b/);
    rmSync(note);
  });

  test.serial(`${shell}: spare descriptors are as many as the limit of open files has room for`, async (t) => {
    const { code, stderr } = await place.run(
      ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh', place.program, '--auto', 'a.b', '--', 'true'],
      { shell },
    );
    t.is(code, 0, stderr);
  });

  test.serial(`${shell}: each of many repositories has a descriptor that stays`, async (t) => {
    const names = Array.from({ length: 12 }, (_, i) => `r${i}.b`);
    const note = join(place.scratch, 'note');
    const script = `echo up; read -r line; rm -f ${note}`;
    const words = [place.program, ...names, `note=${note}`, '--', 'sh', '-c', script];
    const child = place.spawn(words, { shell });
    const ended = outcome(child);
    await until(child, 'up');
    const first = JSON.parse(readFileSync(note, 'utf8'));
    await sleep(A_WHILE);
    const pid = await server();
    process.kill(pid, 'SIGKILL');
    const next = await server(pid);
    let second = first;
    for (let i = 0; i < 1000 && second.pid === first.pid; i++) {
      await sleep(10);
      second = parsed(readFileSync(note, 'utf8')) ?? first;
    }
    t.true(next !== pid && second.pid !== first.pid);
    child.stdin?.end('go on\n');
    const { code, stderr } = await ended;
    t.is(code, 0, stderr);
    const numbers = first.environment.CVMFSEXEC_DESCRIPTORS.trim().split(' ');
    // Some are spare.
    t.true(numbers.length >= names.length);
    t.is(second.environment.CVMFSEXEC_DESCRIPTORS, first.environment.CVMFSEXEC_DESCRIPTORS);
    for (const { fds } of [first, second]) {
      // The first may have looked while its root was still the host's.
      const isFuse = (number: string) =>
        fds.some((fd: string) => fd.startsWith(`${number} `) && fd.endsWith('/dev/fuse'));
      for (const number of numbers) t.true(isFuse(number), `${number}: ${fds}`);
    }
    t.deepEqual(await place.leftovers(), []);
  });
}
