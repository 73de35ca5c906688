// Signals reach the command, each exactly once, whoever they were sent to; the launcher ends as the command does.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { outcome, shells, until, Workplace } from '../launcher/job.ts';

const place = new Workplace();
test.after.always(() => place.close());

const counter = join(import.meta.dirname, '../launcher/signal-counter.pl');
const SIGNALS = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM', 'CONT', 'WINCH'];

/** State letter of a process. */
const state = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /, '').charAt(0);

async function reaches(pid: number, wanted: string): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (state(pid) === wanted) return true;
    await sleep(20);
  }
  return false;
}

/** Pid of the process of the job whose command line starts with `word`. */
const commandOf = (word: string) => {
  const pid = place.processes().find((p) => readFileSync(`/proc/${p}/cmdline`, 'latin1').startsWith(`${word}\0`));
  if (pid === undefined) throw new Error(`no process runs ${word}`);
  return pid;
};

for (const shell of shells) {
  test.serial(`${shell}: a signal to the monitor alone reaches the command once`, async (t) => {
    const child = place.spawn([place.program, 'a.b', '--', 'perl', counter], { shell });
    const ended = outcome(child);
    await until(child, 'up');
    for (const name of SIGNALS) {
      child.kill(`SIG${name}` as NodeJS.Signals);
      await until(child, `${name}\n`);
    }
    await sleep(50);
    child.kill('SIGKILL');
    t.is((await ended).stdout.toString(), ['up', ...SIGNALS, ''].join('\n'));
  });

  test.serial(`${shell}: a signal to the whole process group reaches the command once`, async (t) => {
    const child = place.spawn([place.program, 'a.b', '--', 'perl', counter], { shell, detached: true });
    const ended = outcome(child);
    await until(child, 'up');
    for (const name of SIGNALS) {
      process.kill(-child.pid!, `SIG${name}`);
      await sleep(150);
    }
    child.kill('SIGKILL');
    t.is((await ended).stdout.toString(), ['up', ...SIGNALS, ''].join('\n'));
  });

  test.serial(
    `${shell}: after signals to the group one to the monitor alone still arrives, and the reverse`,
    async (t) => {
      const child = place.spawn([place.program, 'a.b', '--', 'perl', counter], { shell, detached: true });
      const ended = outcome(child);
      await until(child, 'up');
      for (let i = 0; i < 3; i++) {
        process.kill(-child.pid!, 'SIGINT');
        await sleep(120);
        child.kill('SIGINT');
        await sleep(120);
      }
      child.kill('SIGKILL');
      t.is((await ended).stdout.toString(), `up\n${'INT\n'.repeat(6)}`);
    },
  );

  test.serial(`${shell}: a command that left the process group gets what the group got`, async (t) => {
    const words = [place.program, 'a.b', '--', 'setsid', 'perl', counter];
    const child = place.spawn(words, { shell, detached: true });
    const ended = outcome(child);
    await until(child, 'up');
    process.kill(-child.pid!, 'SIGTERM');
    await sleep(300);
    child.kill('SIGKILL');
    t.is((await ended).stdout.toString(), 'up\nTERM\n');
  });

  test.serial(`${shell}: TERM ends command and launcher, by TERM`, async (t) => {
    for (const target of ['monitor', 'group']) {
      const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'echo up; exec sleep 1000'], {
        shell,
        detached: true,
      });
      const ended = outcome(child);
      await until(child, 'up');
      process.kill(target === 'monitor' ? child.pid! : -child.pid!, 'SIGTERM');
      t.is((await ended).signal, 'SIGTERM', target);
    }
    t.deepEqual(await place.leftovers(), []);
  });

  test.serial(
    `${shell}: what ends at once on a signal to the group ends with its own status, however slow init is`,
    async (t) => {
      const child = place.spawn(
        [place.program, 'a.b', '--', 'perl', '-e', '$SIG{TERM} = sub { exit 4 }; $| = 1; print "up\\n"; sleep 100'],
        {
          shell,
          detached: true,
        },
      );
      const ended = outcome(child);
      await until(child, 'up');
      const command = commandOf('perl');
      const inits = place
        .processes()
        .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('/init.sh'));
      for (const pid of inits) process.kill(pid, 'SIGSTOP');
      for (const pid of inits) t.true(await reaches(pid, 'T'));
      process.kill(-child.pid!, 'SIGTERM');
      t.true(await reaches(command, 'Z'));
      for (const pid of inits) process.kill(pid, 'SIGCONT');
      t.is((await ended).code, 4);
    },
  );

  test.serial(`${shell}: signals that come close together all reach the command, and do not end the job`, async (t) => {
    const child = place.spawn([place.program, 'a.b', '--', 'perl', counter], { shell, detached: true });
    const ended = outcome(child);
    await until(child, 'up');
    const names = ['CONT', 'TERM', 'USR1', 'USR2', 'HUP'];
    for (let i = 0; i < 25; i++) {
      const all = Promise.all(names.map((name) => until(child, name)));
      for (const name of names) process.kill(-child.pid!, `SIG${name}`);
      all.catch(() => {}); // who has ended sends none
      await Promise.race([all, ended]);
      if (child.signalCode || child.exitCode !== null) break;
    }
    child.kill('SIGKILL');
    t.is((await ended).signal, 'SIGKILL');
  });

  test.serial(`${shell}: TSTP to the monitor stops command and monitor, CONT continues both`, async (t) => {
    const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'echo up; exec sleep 3.21'], {
      shell,
      detached: true,
    });
    const ended = outcome(child);
    await until(child, 'up');
    await sleep(50);
    const command = commandOf('sleep');
    // An orphaned process group is not stopped by TSTP: the test's own process is the parent, in another session.
    child.kill('SIGSTOP');
    child.kill('SIGCONT');
    child.kill('SIGTSTP');
    t.true(await reaches(child.pid!, 'T'), 'the monitor stops');
    child.kill('SIGCONT');
    t.true(await reaches(child.pid!, 'S'), 'the monitor continues');
    t.true(await reaches(command, 'S'), 'the command runs');
    t.is((await ended).code, 0);
  });
}

test.serial('TERM at any moment of the start ends the job and leaves nothing', async (t) => {
  for (let moment = 0; moment < 300; moment += 13) {
    const child = place.spawn([place.program, 'a.b', '--', 'sleep', '1000']);
    const ended = outcome(child);
    await sleep(moment);
    child.kill('SIGTERM');
    const { code, signal, stderr } = await ended;
    t.is(signal ?? code, 'SIGTERM', `after ${moment} ms: ${stderr}`);
    t.is(stderr, '', `after ${moment} ms`);
  }
  t.deepEqual(await place.leftovers(), []);
});

test.serial('INT to the group at any moment of the start ends the job', async (t) => {
  for (let moment = 0; moment < 300; moment += 29) {
    const child = place.spawn([place.program, 'a.b', '--', 'sleep', '1000'], { detached: true });
    const ended = outcome(child);
    await sleep(moment);
    process.kill(-child.pid!, 'SIGINT');
    const { code, signal, stderr } = await ended;
    t.is(signal ?? code, 'SIGINT', `after ${moment} ms: ${stderr}`);
  }
  t.deepEqual(await place.leftovers(), []);
});

for (const shell of shells) {
  test.serial(`${shell}: nohup: HUP stays ignored in the command`, async (t) => {
    const script = `nohup '${place.program}' a.b -- grep SigIgn /proc/self/status`;
    const { stdout } = await place.run(['bash', '-c', script], { shell });
    t.regex(stdout.toString(), /SigIgn:\t0{15}1\n/);
  });

  test.serial(`${shell}: started by a script with &: INT and QUIT stay ignored, and do not end the job`, async (t) => {
    const job = `'${place.program}' a.b -- sh -c 'grep SigIgn /proc/self/status; sleep 1; echo still'`;
    const child = place.spawn(['bash', '-c', `trap : INT; ${job} & wait; wait; wait`], { shell, detached: true });
    const ended = outcome(child);
    await until(child, 'SigIgn');
    process.kill(-child.pid!, 'SIGINT');
    await sleep(200);
    process.kill(-child.pid!, 'SIGINT');
    t.regex((await ended).stdout.toString(), /SigIgn:\t0{15}6\nstill\n/);
  });
}

test.serial('a caller with job control, in a process group of its own', async (t) => {
  const script = `set -m; '${place.program}' a.b -- sh -c 'echo in; exit 4' & wait $!; echo $?`;
  t.is((await place.run(['bash', '-c', script])).stdout.toString(), 'in\n4\n');
});

test.serial('`timeout` ends a job in time', async (t) => {
  const { code } = await place.run(['timeout', '2', place.program, 'a.b', '--', 'sleep', '1000']);
  t.is(code, 124);
  t.deepEqual(await place.leftovers(), []);
});

test.serial(
  'every process of the job signalled one by one, as batch systems do: the command gets it once',
  async (t) => {
    const child = place.spawn([place.program, 'a.b', '--', 'perl', counter, '4'], { detached: true });
    const ended = outcome(child);
    await until(child, 'up');
    spawn('kill', ['-TERM', ...place.processes().map(String)]);
    const { stdout } = await ended;
    t.is(stdout.toString(), 'up\nTERM\n');
  },
);
