// Jobs on a terminal: ^C, ^Z and job control outside and inside. The terminal is a pseudo terminal of script(1).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { outcome, shells, Workplace } from '../launcher/job.ts';

const place = new Workplace();
test.after.always(() => place.close());

/**
 * Runs bash on a terminal and types to it. Each step waits for a text to appear, then types. Resolves to all that was
 * shown.
 */
async function terminal(t: ExecutionContext, shell: string, steps: readonly [string, string][]): Promise<string> {
  // bash takes PS1 from no environment but that of another interactive shell.
  const rc = join(place.directory, 'rc');
  writeFileSync(rc, "PS1='outer> '\n");
  const child = place.spawn(['script', '-qec', `bash --rcfile ${rc} --noprofile -i`, '/dev/null'], {
    shell,
    env: { LAUNCH: `${place.program} a.b --`, TERM: 'dumb', HISTFILE: '' },
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

for (const shell of shells) {
  test.serial(`${shell}: ^C reaches the command once, ^Z stops the job, fg continues it, ^\\ ends it`, async (t) => {
    const perl = `perl -e '$|=1; $SIG{INT}=sub{print "INT$n\\n" if ++$n}; print "u","p\\n"; sleep 1 while 1'`;
    const shown = await terminal(t, shell, [
      ['outer> ', `$LAUNCH ${perl}\n`],
      ['up', '\x03'],
      ['INT1', '\x03'],
      ['INT2', '\x1a'],
      ['outer> ', 'jobs; echo ta"g"\n'],
      ['tag', 'fg\n'],
      ['perl', '\x03'],
      ['INT3', '\x1c'],
      ['outer> ', 'echo code=$?\n'],
      ['code=', 'exit\n'],
    ]);
    t.regex(shown, /Stopped/);
    t.regex(shown, /code=131/);
    t.notRegex(shown, /INT4/);
    t.deepEqual(await place.leftovers(), []);
  });

  test.serial(`${shell}: an interactive shell in the job has job control, and its exit code comes out`, async (t) => {
    const shown = await terminal(t, shell, [
      ['outer> ', `PS1='in''ner> ' $LAUNCH bash --norc --noprofile -i\n`],
      ['inner> ', 'echo ru"n"; sleep 1000\n'],
      ['run', '\x03'],
      ['inner> ', 'echo first=$?; sleep 1001\n'],
      ['first=130', '\x1a'],
      ['inner> ', 'echo job"s"; jobs; fg\n'],
      ['jobs', ''],
      ['Stopped', ''],
      ['sleep 1001', ''],
      ['sleep 1001', '\x03'],
      ['inner> ', 'exit 9\n'],
      ['outer> ', 'echo code=$?; stty -a | grep -o " icanon"\n'],
      ['code=9', 'exit\n'],
    ]);
    t.regex(shown, /Stopped +sleep 1001/);
    t.regex(shown, /icanon/);
    t.notRegex(shown, /no job control|cannot set terminal/);
    t.deepEqual(await place.leftovers(), []);
  });
}

test.serial('a stopped job does not stop its server, and hanging up ends it', async (t) => {
  const shown = await terminal(t, shells[0], [
    ['outer> ', '$LAUNCH sh -c \'echo u"p"; exec sleep 1002\'\n'],
    ['up', '\x1a'],
    ['outer> ', 'ps -eo stat=,args= | grep "[s]tart.cjs server" | cut -c1; echo ta"g"\n'],
    ['tag', 'kill -HUP %1; fg\n'],
    ['outer> ', 'exit\n'],
  ]);
  t.regex(shown, /\nS\ntag/);
  t.deepEqual(await place.leftovers(), []);
});
