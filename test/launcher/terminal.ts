// What is typed to a job on a terminal, and what it shows. The terminal is a pseudo terminal of script(1).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { outcome, type Workplace } from './job.ts';

/** In an interactive shell, from a command that sleeps after `run`: ^C, then ^Z of another, which jobs and fg find. */
export const JOB_CONTROL: readonly [string, string][] = [
  ['run', '\x03'],
  ['inner> ', 'echo first=$?; sleep 1001\n'],
  ['first=130', '\x1a'],
  ['inner> ', 'echo job"s"; jobs; fg\n'],
  ['jobs', ''],
  ['Stopped', ''],
  ['sleep 1001', ''],
  ['sleep 1001', '\x03'],
];

/**
 * Runs bash on a terminal and types to it. Each step waits for a text to appear, then types. Resolves to all that was
 * shown. `options`: further words for the launch, which is in $LAUNCH.
 */
export async function terminal(
  t: ExecutionContext,
  place: Workplace,
  shell: string,
  steps: readonly [string, string][],
  options: readonly string[] = [],
): Promise<string> {
  // bash takes PS1 from no environment but that of another interactive shell.
  const rc = join(place.directory, 'rc');
  writeFileSync(rc, "PS1='outer> '\n");
  const child = place.spawn(['script', '-qec', `bash --rcfile ${rc} --noprofile -i`, '/dev/null'], {
    shell,
    env: { LAUNCH: [place.program, ...options, 'a.b', '--'].join(' '), TERM: 'dumb', HISTFILE: '' },
  });
  let shown = '';
  child.stdout?.on('data', (data: Buffer) => {
    shown += data.toString('latin1');
  });
  const ended = outcome(child);
  let from = 0;
  for (const [expected, typed] of steps) {
    const deadline = Date.now() + 15_000;
    while (!shown.slice(from).includes(expected)) {
      if (Date.now() > deadline || child.exitCode !== null) {
        child.kill('SIGKILL');
        t.fail(`'${expected}' was not shown; all that was:\n${shown}`);
        return shown;
      }
      await sleep(10);
    }
    from = shown.indexOf(expected, from) + expected.length;
    await sleep(60);
    child.stdin?.write(typed);
  }
  await ended;
  return shown.replaceAll('\r', '');
}
