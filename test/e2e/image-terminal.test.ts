// An interactive shell in an image: prompt, job control, ^C, window size; with every shell that the host can have.
import { join } from 'node:path';
import test from 'ava';
import { shells, Workplace } from '../launcher/job.ts';
import { JOB_CONTROL, terminal } from '../launcher/terminal.ts';
import { writeBusyboxTree } from '../support/image-hub.ts';

const place = new Workplace();
const image = join(place.directory, 'image');
test.before(() => writeBusyboxTree(image));
test.after.always(() => place.close());

for (const shell of shells) {
  test.serial(`${shell}: a shell in an image has a prompt, job control and the window's size`, async (t) => {
    const shown = await terminal(
      t,
      place,
      shell,
      [
        ['outer> ', 'stty rows 31 cols 77\n'],
        ['outer> ', `PS1='in''ner> ' $LAUNCH sh -i\n`],
        ['inner> ', 'cat /etc/issue; stty size; echo ru"n"; sleep 1000\n'],
        ['a busybox image', ''],
        ['31 77', ''],
        ...JOB_CONTROL,
        // A change of the size, while it runs.
        ['inner> ', `sh -c 'trap "stty size" WINCH; stty rows 20 cols 40; sleep 1'\n`],
        ['20 40', 'tty\n'],
        ['/dev/pts/', 'exit 9\n'],
        ['outer> ', 'echo code=$?; stty -a | grep -o " icanon"\n'],
        ['code=9', 'exit\n'],
      ],
      ['--image', image],
    );
    t.regex(shown, /Stopped +sleep 1001/);
    t.regex(shown, /icanon/);
    t.notRegex(shown, /no job control|cannot set terminal|can't access tty/);
    t.deepEqual(await place.leftovers(), []);
  });
}
