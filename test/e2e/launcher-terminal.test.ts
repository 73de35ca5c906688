// Jobs on a terminal: ^C, ^Z and job control outside and inside. The terminal is a pseudo terminal of script(1).
import test from 'ava';
import { shells, Workplace } from '../launcher/job.ts';
import { JOB_CONTROL, terminal } from '../launcher/terminal.ts';

const place = new Workplace();
test.after.always(() => place.close());

for (const shell of shells) {
  test.serial(`${shell}: ^C reaches the command once, ^Z stops the job, fg continues it, ^\\ ends it`, async (t) => {
    const perl = `perl -e '$|=1; $SIG{INT}=sub{print "INT$n\\n" if ++$n}; print "u","p\\n"; sleep 1 while 1'`;
    const shown = await terminal(t, place, shell, [
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
    const shown = await terminal(t, place, shell, [
      ['outer> ', `PS1='in''ner> ' $LAUNCH bash --norc --noprofile -i\n`],
      ['inner> ', 'echo ru"n"; sleep 1000\n'],
      ...JOB_CONTROL,
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
  const shown = await terminal(t, place, shells[0], [
    ['outer> ', '$LAUNCH sh -c \'echo u"p"; exec sleep 1002\'\n'],
    ['up', '\x1a'],
    ['outer> ', `ps -eo stat=,args= | grep "${place.directory}/.*[s]tart.cjs server" | cut -c1; echo ta"g"\n`],
    ['tag', 'kill -HUP %1; fg\n'],
    ['outer> ', 'exit\n'],
  ]);
  t.regex(shown, /\nS\ntag/);
  t.deepEqual(await place.leftovers(), []);
});
