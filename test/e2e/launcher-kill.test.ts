// kill -9 of any process of a job, at any time, leaves no process, no mount, no file.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { type Outcome, outcome, shells, until, Workplace } from '../launcher/job.ts';

const place = new Workplace();
test.after.always(() => place.close());

type Role = 'monitor' | 'keeper' | 'init' | 'command';

/** The processes of the running job by what they are. */
function roles(): Map<Role, number> {
  const found = new Map<Role, number>();
  for (const pid of place.processes()) {
    let words: string[];
    try {
      words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    } catch {
      continue;
    }
    const line = words.join(' ');
    if (/keeper\.sh/.test(line)) found.set('keeper', pid);
    else if (/init\.sh/.test(line)) found.set('init', Math.min(pid, found.get('init') ?? pid));
    else if (/^sleep/.test(line)) found.set('command', pid);
    else if (line.includes(place.program)) found.set('monitor', pid);
  }
  return found;
}

async function killed(role: Role, shell: string): Promise<Outcome> {
  const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'echo up; exec sleep 1000'], { shell });
  const ended = outcome(child);
  await until(child, 'up');
  await sleep(50);
  const pid = roles().get(role);
  if (pid === undefined) throw new Error(`no ${role}: ${[...roles().keys()]}`);
  process.kill(pid, 'SIGKILL');
  return await ended;
}

for (const shell of shells) {
  for (const role of ['monitor', 'keeper', 'init', 'command'] as const) {
    test.serial(`${shell}: kill -9 of the ${role} leaves nothing`, async (t) => {
      const { signal, stderr } = await killed(role, shell);
      t.is(signal, 'SIGKILL');
      t.is(stderr, '');
      t.deepEqual(await place.leftovers(), []);
    });
  }
}

test.serial('kill -9 of the monitor at any moment of the start leaves nothing', async (t) => {
  for (let moment = 0; moment < 300; moment += 7) {
    const child = place.spawn([place.program, 'a.b', '--', 'sleep', '1000']);
    const ended = outcome(child);
    await sleep(moment);
    child.kill('SIGKILL');
    await ended;
    if (moment % 70 === 0) t.deepEqual(await place.leftovers(), [], `after ${moment} ms`);
  }
  t.deepEqual(await place.leftovers(), []);
});

test.serial('kill -9 of keeper and init during the start ends the job', async (t) => {
  for (const role of ['keeper', 'init'] as const) {
    for (const delay of [0, 5, 20]) {
      const child = place.spawn([place.program, 'a.b', 'wait=300', '--', 'sleep', '1000']);
      const ended = outcome(child);
      let pid: number | undefined;
      while (pid === undefined) {
        pid = roles().get(role);
        await sleep(1);
      }
      await sleep(delay);
      process.kill(pid, 'SIGKILL');
      const { code, signal } = await ended;
      t.true(code === 125 || signal === 'SIGKILL', `${role} after ${delay} ms: ${code} ${signal}`);
    }
  }
  t.deepEqual(await place.leftovers(), []);
});
