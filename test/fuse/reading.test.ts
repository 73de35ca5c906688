import { createHash } from 'node:crypto';
import test from 'ava';
import { mount } from './mount.ts';

for (const settings of [
  { readOnly: true, answerOpen: false },
  { readOnly: true, answerOpen: true },
  { readOnly: false, answerOpen: false },
]) {
  const title = `${settings.readOnly ? 'own' : 'foreign'} mount, open ${settings.answerOpen ? 'answered' : 'left to the kernel'}`;

  test.serial(`programs see what the file system holds (${title})`, async (t) => {
    const mounted = await mount(t, settings);
    if (mounted === undefined) return;
    const cat = await mounted.run('cd "$MP" && cat hello deep/er/file link/file && ./script && readlink link');
    t.is(cat.stderr, '');
    t.is(cat.stdout, 'hello world\ndeep\ndeep\nran\ndeep/er\n');

    const stat = await mounted.run(
      'stat -c "%n %A %s %h %u:%g %i %y" "$MP"/hello "$MP"/private "$MP"/old | sed "s,$MP/,,"',
    );
    t.deepEqual(stat.stdout.split('\n'), [
      'hello -rw-r--r-- 12 1 0:0 2 2023-11-14 22:13:20.123456789 +0000',
      'private -rw------- 7 1 0:0 3 2023-11-14 22:13:20.123456789 +0000',
      'old -rw-r--r-- 1 1 0:0 5 1950-01-06 00:00:00.123456789 +0000',
      '',
    ]);

    const df = await mounted.run(
      'df -k --output=source,size,used,avail "$MP" | tail -1; df --output=itotal,iavail "$MP" | tail -1',
    );
    t.deepEqual(df.stdout.trim().split(/\s+/), ['memory', '4000', '3960', '40', '2000', '20']);
    t.deepEqual(await mounted.server('accidents'), []);
  });

  test.serial(`large files are read whole, from any offset, and end where they end (${title})`, async (t) => {
    const mounted = await mount(t, settings);
    if (mounted === undefined) return;
    const pattern = Buffer.alloc(5_000_000);
    for (let i = 0; i < pattern.length; i++) pattern[i] = (i * 7 + (i >> 8)) & 0xff;
    const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const { stdout } = await mounted.run(
      'cd "$MP" && sha256sum <large && tail -c +3333334 large | sha256sum && dd if=large bs=1000 skip=4999 count=5 2>/dev/null | wc -c',
    );
    t.deepEqual(stdout.match(/\S+/g), [sha(pattern), '-', sha(pattern.subarray(3_333_333)), '-', '1000']);
  });

  test.serial(`a directory of 5000 entries is listed completely (${title})`, async (t) => {
    const mounted = await mount(t, settings);
    if (mounted === undefined) return;
    const expected = Array.from({ length: 5000 }, (_, i) => `name-${i}`).sort();
    for (const list of ['ls -1 "$MP/many"', 'find "$MP/many" -type f -size -2 -printf "%f\\n"', 'ls -1 "$MP/many"']) {
      const { stdout } = await mounted.run(list);
      t.deepEqual(stdout.trim().split('\n').sort(), expected, list);
    }
    const types = await mounted.run('cd "$MP" && find . -mindepth 1 -maxdepth 1 -printf "%y %f\\n" | LC_ALL=C sort');
    t.deepEqual(types.stdout.trim().split('\n'), [
      'd deep',
      'd many',
      'f caf\xe9 \xff',
      'f doomed',
      'f hello',
      'f hello2',
      'f large',
      'f old',
      'f private',
      'f script',
      'f slow',
      'l link',
    ]);
  });
}

test.serial('names are bytes', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const { stdout } = await mounted.run(`cat "$MP/$(printf 'caf\\351 \\377')"`);
  t.is(stdout, 'bytes\n');
});

test.serial('a descriptor may be served before it is mounted', async (t) => {
  const mounted = await mount(t, { serveFirst: true });
  if (mounted === undefined) return;
  t.is((await mounted.run('cat "$MP/hello"')).stdout, 'hello world\n');
});

test.serial('an accident in the file system is EIO, told, and not the end', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const { stderr, code } = await mounted.run('cat "$MP/broken"');
  t.is(code, 1);
  t.regex(stderr, /Input\/output error/);
  t.is((await mounted.run('cat "$MP/hello"')).stdout, 'hello world\n');
  const [accident, ...others] = (await mounted.server('accidents')) as string[];
  t.regex(accident, /^LOOKUP #\d+ node 1 "broken" uid 0 gid 0 pid \d+: a defect of the file system$/);
  t.deepEqual(others, []);
});

test.serial('the debug output has one line for each request and each reply', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.run('cat "$MP/hello" "$MP/absent"; stat "$MP/caf"*');
  const trace = (await mounted.server('trace')) as string[];
  t.true(
    trace.every((line) => /^(->|<-) [A-Z]+ #\d+ [ -~]+$/.test(line)),
    trace.join('\n'),
  );
  for (const pattern of [
    /^-> INIT #\d+ node 0 version 7\.\d+ max_readahead \d+ flags 0x/,
    /^-> LOOKUP #\d+ node 1 "hello" uid 0 gid 0 pid \d+$/,
    /^<- LOOKUP #\d+ node 2 ino 2 mode 0100644 size 12$/,
    /^<- LOOKUP #\d+ no such name$/,
    /^<- READ #\d+ 12 bytes$/,
  ]) {
    t.true(
      trace.some((line) => pattern.test(line)),
      String(pattern),
    );
  }
});
