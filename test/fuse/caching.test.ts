import test from 'ava';
import { mount } from './mount.ts';

test.serial('what was seen once is not asked again: a second find -ls, missing names, links, contents', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const script =
    'cd "$MP" && find . -ls && cat hello link/file; cat absent many/absent deep/er/absent; readlink link; true';
  const first = await mounted.run(script);
  const before = ((await mounted.server('trace')) as string[]).length;
  const second = await mounted.run(script);
  t.is(second.stdout, first.stdout);
  t.is(first.stdout.split('\n').length, 5015 + 3 + 1);
  const trace = ((await mounted.server('trace')) as string[]).slice(before);
  // The kernel keeps no statfs, and find wants to know what kind of file system it is in.
  t.deepEqual(
    trace.filter((line) => !/^(->|<-) STATFS /.test(line)),
    [],
  );
});

test.serial('attributes come with the list: find -ls looks nothing up', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.run('find "$MP/many" -ls');
  t.is(await mounted.server('count', 'lookup', 'getattr'), 2);
});

test.serial('opening and closing costs no request on a mount of our own', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.run('cd "$MP" && for i in 1 2 3; do for f in many/name-1*; do : <$f; done; ls deep; done');
  const trace = (await mounted.server('trace')) as string[];
  const requests = trace.filter((line) => /^-> (OPEN|OPENDIR|RELEASE|RELEASEDIR|FLUSH) /.test(line));
  t.deepEqual(requests.map((line) => line.split(' ')[1]).sort(), ['FLUSH', 'OPEN', 'OPENDIR']);
});

test.serial('an invalidated entry is looked up again, and its directory listed again', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const look = () => mounted.run('cd "$MP"; ls | tr "\\n" " "; cat hello new');
  const before = await look();
  t.true(before.stdout.endsWith('hello world\n'));
  await mounted.server('create', '/new', 'new\n');
  await mounted.server('remove', '/hello');
  t.is((await look()).stdout, before.stdout, 'the kernel keeps what it knows until it is told');

  t.is(await mounted.server('invalidateEntry', 1, 'hello'), 'done');
  t.is(await mounted.server('invalidateEntry', 1, 'new'), 'done');
  t.is(await mounted.server('invalidateInode', 1), 'done');
  const after = await look();
  t.regex(after.stdout, /^caf.* deep doomed hello2 large link many new old private script slow new\n$/);
  t.regex(after.stderr, /hello: No such file/);
  t.is(await mounted.server('invalidateEntry', 1, 'never seen'), 'not-cached');
  t.is(await mounted.server('invalidateEntry', 1, 'longer than any kernel takes'.repeat(200)), 'not-cached');
});

test.serial('an invalidated inode is read again', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  t.is((await mounted.run('cat "$MP/hello"')).stdout, 'hello world\n');
  const node = await mounted.server('rewrite', 'hello', 'good bye, world\n');
  t.is((await mounted.run('cat "$MP/hello"')).stdout, 'hello world\n');
  t.is(await mounted.server('invalidateInode', node), 'done');
  t.is((await mounted.run('cat "$MP/hello"')).stdout, 'good bye, world\n');
});

test.serial('a new epoch makes the kernel forget every name', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.run('cat "$MP/hello" "$MP/deep/new"');
  await mounted.server('create', '/deep/new', 'new\n');
  const outcome = await mounted.server('incrementEpoch');
  if (outcome === 'unsupported') {
    t.log('this kernel has no epochs');
    t.pass();
    return;
  }
  t.is(outcome, 'done');
  t.is((await mounted.run('cat "$MP/deep/new"')).stdout, 'new\n');
});

test.serial(
  'an invalidation waits for a lookup in its directory, and nothing else waits for the invalidation',
  async (t) => {
    const mounted = await mount(t);
    if (mounted === undefined) return;
    await mounted.run('cat "$MP/hello"');
    await mounted.server('hold', 'slow');
    const blocked = mounted.run('cat "$MP/slow"');
    await mounted.untilPending(1);
    const invalidation = mounted.server('invalidateEntry', 1, 'hello');
    t.is((await mounted.run('cat "$MP/many/name-7"')).stdout, '7');
    await mounted.server('release', 'slow');
    t.is(await invalidation, 'done');
    t.is((await blocked).stdout, 'at last\n');
  },
);

test.serial(
  'lookups that wait for something, and invalidations in the same directory, do not fail each other',
  async (t) => {
    const mounted = await mount(t);
    if (mounted === undefined) return;
    const FILES = 600;
    const churned = mounted.server('churn', FILES);
    const readers = [0, 1, 2].map((start) =>
      mounted.run(`cd "$MP/late"; for i in $(seq ${start} 3 ${FILES - 1}); do read -r n <late-$i && echo $n; done`),
    );
    for (const [start, reader] of readers.entries()) {
      const { stdout, stderr } = await reader;
      t.is(stderr, '');
      t.is(stdout, Array.from({ length: FILES / 3 }, (_, i) => `${start + 3 * i}\n`).join(''));
    }
    await mounted.server('stopChurning');
    const trace = (await mounted.server('trace')) as string[];
    t.log(
      `${await churned} invalidations, ${trace.filter((line) => line.endsWith(' ESTALE')).length} lookups sent round again`,
    );
  },
);
