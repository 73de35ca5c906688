// --host-pids: a job without a pid namespace of its own.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { outcome, shells, until, Workplace } from '../launcher/job.ts';

const place = new Workplace();
test.after.always(() => place.close());

const words = (...command: string[]) => [place.program, '--host-pids', 'test.example.org', '--', ...command];
/** Mounts of other tests on this machine are not below /cvmfs. */
const left = async () => (await place.leftovers()).filter((line) => /^process| \/cvmfs[ /]/.test(line));

for (const shell of shells) {
  test.serial(
    `${shell}: the command has the process id that the host knows it by, and its status is passed on`,
    async (t) => {
      const child = place.spawn(words('sh', '-c', 'echo "pid $$ end"; read line; exit 7'), { shell });
      let stdout = '';
      child.stdout?.on('data', (data) => {
        stdout += data;
      });
      const ended = outcome(child);
      await until(child, 'end');
      const pid = Number(/pid (\d+)/.exec(stdout)?.[1]);
      t.true(place.processes().includes(pid));
      child.stdin?.end('\n');
      t.is((await ended).code, 7);
      t.false(existsSync(`/proc/${pid}`));
    },
  );

  test.serial(`${shell}: what the command left running is ended with it`, async (t) => {
    const { code, stderr } = await place.run(words('sh', '-c', 'setsid sleep 1000 & sleep 1000 & exit 3'), { shell });
    t.is(stderr, '');
    t.is(code, 3);
    t.deepEqual(await left(), []);
  });

  test.serial(`${shell}: kill -9 of the monitor leaves nothing, TERM reaches the command`, async (t) => {
    const killed = place.spawn(words('sh', '-c', 'setsid sleep 1000 & echo up; sleep 1000'), { shell });
    const end = outcome(killed);
    await until(killed, 'up');
    killed.kill('SIGKILL');
    await end;
    t.deepEqual(await left(), []);
    const asked = place.spawn(words('sh', '-c', 'trap "exit 4" TERM; echo up; while :; do sleep 0.05; done'), {
      shell,
    });
    const answer = outcome(asked);
    await until(asked, 'up');
    await sleep(50);
    asked.kill('SIGTERM');
    t.is((await answer).code, 4);
    t.deepEqual(await left(), []);
  });
}
