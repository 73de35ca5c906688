import { join } from 'node:path';
import test from 'ava';
import { mount } from './mount.ts';

const CALLS = join(import.meta.dirname, 'system-calls.ts');

const EXPECTED = {
  'open O_RDONLY': 'ok',
  'open O_WRONLY': 'EROFS',
  'open O_RDWR': 'EROFS',
  'open O_WRONLY|O_APPEND': 'EROFS',
  'open O_RDONLY|O_TRUNC': 'EROFS',
  'open O_WRONLY|O_TRUNC': 'EROFS',
  'open O_CREAT of an existing file': 'ok',
  'open O_CREAT': 'EROFS',
  'open O_CREAT|O_EXCL': 'EROFS',
  'open O_TMPFILE': 'EROFS',
  unlink: 'EROFS',
  rmdir: 'EROFS',
  mkdir: 'EROFS',
  'mkdir of an existing name': 'EEXIST',
  rename: 'EROFS',
  symlink: 'EROFS',
  link: 'EROFS',
  chmod: 'EROFS',
  chown: 'EROFS',
  utimes: 'EROFS',
  truncate: 'EROFS',
  'access W_OK': 'EROFS',
  'access R_OK': 'ok',
  'access X_OK of a plain file': 'EACCES',
  'access X_OK of a program': 'ok',
  fsync: 'ok',
};

for (const settings of [
  { readOnly: true, answerOpen: false },
  { readOnly: true, answerOpen: true },
  { readOnly: false, answerOpen: false },
  { readOnly: false, answerOpen: true },
]) {
  const title = `${settings.readOnly ? 'own' : 'foreign'} mount, open ${settings.answerOpen ? 'answered' : 'left to the kernel'}`;

  test.serial(`every change is refused as on a read-only file system (${title})`, async (t) => {
    const mounted = await mount(t, settings);
    if (mounted === undefined) return;
    // Twice: some refusals make the kernel try another request the next time.
    for (let round = 0; round < 2; round++) {
      const { stdout, stderr } = await mounted.run(`'${process.execPath}' '${CALLS}' "$MP"`);
      t.deepEqual(JSON.parse(stdout || '{}'), EXPECTED, stderr);
    }
    const fifo = await mounted.run('mkfifo "$MP/new"');
    t.regex(fifo.stderr, /Read-only file system/);
    t.is((await mounted.run('cat "$MP/hello"')).stdout, 'hello world\n');
    t.deepEqual(await mounted.server('accidents'), []);
  });
}

for (const readOnly of [true, false]) {
  test.serial(
    `ls -l asks for extended attributes once, not once for each file (${readOnly ? 'own' : 'foreign'} mount)`,
    async (t) => {
      const mounted = await mount(t, { readOnly });
      if (mounted === undefined) return;
      await mounted.run('ls -l "$MP/many"; cp -a "$MP/many" /dev/null/x; true');
      const trace = (await mounted.server('trace')) as string[];
      t.true(trace.filter((line) => /^-> (GETXATTR|LISTXATTR)/.test(line)).length <= 2);
      t.is(await mounted.server('count', 'getxattr', 'listxattr'), 0);
    },
  );
}

test.serial('user attributes are shown by name, and listed where that is wanted', async (t) => {
  for (const listXattr of [false, true]) {
    const mounted = await mount(t, { listXattr });
    if (mounted === undefined) return;
    const { stdout, stderr } = await mounted.run(
      'command -v getfattr >/dev/null || { echo none; exit; }; cd "$MP"; getfattr --only-values -n user.color hello2; echo; getfattr -d hello2',
    );
    if (stdout === 'none\n') {
      t.log('getfattr is not installed');
      t.pass();
      return;
    }
    t.is(stdout, `green\n${listXattr ? '# file: hello2\nuser.color="green"\n\n' : ''}`, stderr);
  }
});
