// New revisions under a running job: what changed is new, what did not stays where it is, with all that stands on it.
import {
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Servers } from '../../soak/servers.ts';
import type { JobShell } from '../support/job-shell.ts';
import { Installation } from '../support/run-cvmfsexec.ts';
import { pseudoRandom } from '../support/tree-sample.ts';
import { type At, readsOf, updatingRepository } from '../support/updating-repository.ts';

const place = new Installation();
const servers = new Servers(place.directory);

const world = (t: ExecutionContext, writeTree: (at: At) => void) => updatingRepository(t, place, { writeTree });

test.after.always(() => place.close());

test.serial('each kind of change shows, and open files, working directories and mounts survive it', async (t) => {
  const {
    publish,
    shell: start,
    mount,
  } = await world(t, (at) => {
    for (const path of [
      'same/deep/er',
      'gone/sub',
      'work/here',
      'turns/in',
      'list',
      'nested/d',
      'links',
      'moved/from',
    ]) {
      mkdirSync(at(path), { recursive: true });
    }
    writeFileSync(at('same/deep/er/file'), pseudoRandom(3_000_000, 1));
    writeFileSync(at('same/touched'), 'only its time changes\n');
    writeFileSync(at('changing'), 'old\n'.repeat(50_000));
    writeFileSync(at('gone/sub/file'), 'still open\n'.repeat(1000));
    writeFileSync(at('work/here/a'), 'a\n');
    writeFileSync(at('turns/file'), 'file\n');
    for (let i = 0; i < 300; i++) writeFileSync(at(`list/name-${i}`), '');
    writeFileSync(at('nested/.cvmfscatalog'), '');
    writeFileSync(at('nested/d/file'), 'in a nested catalog\n');
    writeFileSync(at('nested/d/other'), 'old\n');
    writeFileSync(at('links/one'), 'linked\n');
    linkSync(at('links/one'), at('links/two'));
    linkSync(at('links/one'), at('links/three'));
    symlinkSync('changing', at('link'));
    cpSync('/bin/sleep', at('sleep'));
  });
  const shell = start({ debug: true, wrap: ['unshare', '-Urm'] });
  await shell.run(`cd ${mount}`);
  const identity = `stat -c '%n %i' same same/deep/er same/deep/er/file same/touched nested nested/d nested/d/file work/here links/one`;
  const before = await shell.output(identity);
  t.is(before.split('\n').length, 9, shell.stderr);
  const unchanged = ['same/deep/er/file', 'same/touched', 'nested/d/file'];
  const inodes = (await shell.output(`stat -c %i ${unchanged.join(' ')}`)).split('\n');
  const reads = () => inodes.map((inode) => readsOf(shell, inode));
  const sums = await shell.output('md5sum same/deep/er/file same/touched nested/d/file');
  await shell.run('exec 3<changing 4<gone/sub/file 5<changing; head -c 5000 <&3 >/dev/null; head -c 11 <&4 >/dev/null');
  t.is(
    await shell.output('ls list | wc -l; ls turns/in; ls turns/new new 2>/dev/null; cat link | sort -u'),
    '300\nold',
  );
  await holdPages(shell, unchanged);
  await shell.run('mkdir /tmp/t.$$; mount -t tmpfs none same/deep; echo on-top >same/deep/mark');
  await shell.run(`mount --bind nested/d /tmp/t.$$; ./sleep 1000 & sleeper=$!; cd work/here`);
  await shell.run(`md5sum ${mount}/same/touched; ls ${mount}/gone/sub`);
  const readOnce = reads();
  t.true(readOnce[0] > 10 && readOnce[1] === 1 && readOnce[2] === 1, `${readOnce}`);

  await publish((at) => {
    writeFileSync(at('changing'), 'new\n'.repeat(60_000));
    rmSync(at('gone'), { recursive: true });
    utimesSync(at('same/touched'), 5, 5);
    rmSync(at('turns/file'));
    mkdirSync(at('turns/file'));
    writeFileSync(at('turns/file/inside'), 'inside\n');
    rmSync(at('turns/in'), { recursive: true });
    writeFileSync(at('turns/in'), 'a file now\n');
    writeFileSync(at('new'), 'new\n');
    for (let i = 0; i < 150; i++) rmSync(at(`list/name-${i * 2}`));
    writeFileSync(at('work/here/b'), 'b\n');
    writeFileSync(at('nested/d/other'), 'new\n');
    rmSync(at('links/three'));
    renameSync(at('moved/from'), at('moved/to'));
    rmSync(at('link'));
    symlinkSync('new', at('link'));
    cpSync('/bin/true', at('sleep'));
  });
  t.is(await shell.until(`cat ${mount}/new 2>/dev/null`, 'new'), 'new', shell.stderr.slice(-3000));
  t.is(await shell.until('ls', 'a\nb'), 'a\nb', 'the working directory shows what is new in it');
  t.is(await shell.output('pwd -P'), `${mount}/work/here`);
  await shell.run(`cd ${mount}`);
  t.is(await shell.until('ls moved', 'to'), 'to');
  t.is(
    await shell.output(
      'sort -u changing; ls list | wc -l; cat turns/file/inside turns/in; cat link; cat nested/d/other',
    ),
    'new\n150\ninside\na file now\nnew\nnew',
  );
  t.is(
    await shell.output('ls -d gone 2>&1; ls links; stat -c %Y same/touched; stat -c %h links/one'),
    "ls: cannot access 'gone': No such file or directory\none\ntwo\n5\n2",
  );
  t.is(
    await shell.output('cat <&3 | sort -u; cat <&5 | sort -u; cat <&4 | sort -u'),
    'old\nold\nstill open',
    'open files',
  );
  t.is(
    await shell.output('cat same/deep/mark; ls /tmp/t.$$; kill -0 $sleeper && echo runs'),
    'on-top\nfile\nother\nruns',
  );
  await shell.run('umount same/deep');
  const after = await shell.output(identity);
  t.deepEqual(
    after.split('\n').slice(0, 8),
    before.split('\n').slice(0, 8),
    'unchanged things have their inode numbers',
  );
  t.is(await shell.output('md5sum same/deep/er/file same/touched nested/d/file'), sums);
  t.deepEqual(reads(), readOnce, 'what is unchanged is not read again');
  await shell.run('kill $sleeper $holder; umount /tmp/t.$$; rmdir /tmp/t.$$; cd /');
});

/** Locks what the kernel has of these files: else a machine that takes out idle pages reads them again, with no reason of ours. */
async function holdPages(shell: JobShell, paths: readonly string[]): Promise<void> {
  const program = `
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
for path in sys.argv[1:]:
    file = os.open(path, os.O_RDONLY)
    size = ctypes.c_size_t(os.fstat(file).st_size)
    address = ctypes.c_void_p(libc.mmap(None, size, 1, 1, file, ctypes.c_long(0)))
    if libc.mlock(address, size) != 0:
        print(path, os.strerror(ctypes.get_errno()), flush=True)
print('held', flush=True)
time.sleep(1000)`;
  const words = ['/usr/bin/python3', '-c', `exec(bytes.fromhex("${Buffer.from(program).toString('hex')}"))`, ...paths];
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const command = `mkfifo /tmp/h.$$; ${quoted} >/tmp/h.$$ & holder=$!; head -n 1 /tmp/h.$$; rm /tmp/h.$$`;
  const said = await shell.output(command);
  if (said !== 'held') throw new Error(`pages cannot be locked: ${said}`);
}

const revision = 'getfattr --only-values -n user.revision .';

function small(at: (path: string) => string): void {
  mkdirSync(at('same'));
  writeFileSync(at('same/file'), 'same\n');
  writeFileSync(at('value'), 'one\n');
}

test.serial(
  'without a server the revision stays, which is told once, and the next one is taken when it is back',
  async (t) => {
    const { publish, shell: start, mount, server } = await world(t, small);
    const shell = start();
    await shell.run(`cd ${mount}`);
    t.is(await shell.output('cat value'), 'one');
    server.fault(/cvmfspublished/, { status: 503 });
    await publish((at) => writeFileSync(at('value'), 'two\n'));
    await new Promise((resolve) => setTimeout(resolve, 5000));
    t.is(await shell.output('cat value same/file'), 'one\nsame');
    t.is(shell.stderr.split('going on with revision').length, 2, shell.stderr);
    server.clearFaults();
    t.is(await shell.until('cat value', 'two'), 'two', shell.stderr);
    t.regex(shell.stderr, /recovered from offline mode/);
  },
);

test.serial('an older revision is never taken', async (t) => {
  const { publish, shell: start, mount, repository } = await world(t, small);
  const manifest = join(repository.directory, '.cvmfspublished');
  const first = readFileSync(manifest);
  const shell = start();
  await shell.run(`cd ${mount}`);
  await publish((at) => writeFileSync(at('value'), 'two\n'));
  t.is(await shell.until('cat value', 'two'), 'two', shell.stderr);
  const newest = await shell.output(revision);
  writeFileSync(manifest, first);
  await new Promise((resolve) => setTimeout(resolve, 4000));
  t.deepEqual([await shell.output('cat value'), await shell.output(revision)], ['two', newest]);
  t.regex(shell.stderr, /going on with revision/);
});

test.serial(
  'a revision of which a catalog that is in use cannot be had is not gone to, not even in parts',
  async (t) => {
    const {
      publish,
      shell: start,
      mount,
      server,
    } = await world(t, (at) => {
      small(at);
      mkdirSync(at('nested'));
      writeFileSync(at('nested/.cvmfscatalog'), '');
      writeFileSync(at('nested/file'), 'one\n');
    });
    const shell = start();
    await shell.run(`cd ${mount}`);
    t.is(await shell.output('cat value nested/file'), 'one\none');
    let catalogs = 0;
    // Of the new revision: the root catalog comes, the other one does not.
    server.fault(/C$/, { status: 404 });
    server.fault(/C$/, {}, 1);
    await publish((at) => {
      for (const path of ['value', 'nested/file']) writeFileSync(at(path), 'two\n');
    });
    for (; catalogs < 2; catalogs = server.paths(/C$/).length - 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    t.is(await shell.output('cat value nested/file'), 'one\none', shell.stderr);
    t.regex(shell.stderr, /going on with revision \d+: [^\n]*404/);
    server.clearFaults();
    t.is(await shell.until('cat value nested/file', 'two\ntwo'), 'two\ntwo', shell.stderr);
  },
);

test.serial('CVMFS_AUTO_UPDATE=no keeps the revision', async (t) => {
  const { publish, shell: start, mount } = await world(t, small);
  const [fixed, following] = [
    start({ parameters: { AUTO_UPDATE: 'no' } }),
    start({ parameters: { CACHE_BASE: place.newPath() } }),
  ];
  for (const shell of [fixed, following]) await shell.run(`cd ${mount}`);
  await publish((at) => writeFileSync(at('value'), 'two\n'));
  t.is(await following.until('cat value', 'two'), 'two', following.stderr);
  t.is(await fixed.output('cat value'), 'one');
  t.regex(await fixed.output('getfattr --only-values -n user.expires .'), /^never/);
});

test.serial('a revision that is blacklisted is not read any more, until there is a newer one', async (t) => {
  const { publish, shell: start, mount, repository } = await world(t, small);
  const blacklist = join(repository.base, 'blacklist');
  writeFileSync(blacklist, '');
  const shell = start({ parameters: { BLACKLIST: blacklist } });
  await shell.run(`cd ${mount}`);
  t.is(await shell.output('cat value'), 'one');
  const now = Number(await shell.output(revision));
  writeFileSync(blacklist, `<${repository.fqrn} ${now + 1}\n`);
  t.regex(await shell.until('cat value 2>&1', /Input\/output error/), /Input\/output error/, shell.stderr);
  // The next server knows of it from its first request on.
  process.kill(await servers.serving(), 'SIGKILL');
  for (let i = 0; i < 3; i++) t.regex(await shell.output('cat value 2>&1'), /Input\/output error/, shell.stderr);
  await publish((at) => writeFileSync(at('value'), 'two\n'));
  t.is(await shell.until('cat value 2>&1', 'two'), 'two', shell.stderr);
});

test.serial('jobs that share a cache ask one manifest per time to live', async (t) => {
  const { shell: start, mount, requested } = await world(t, small);
  const shells = Array.from({ length: 4 }, () => start());
  for (const shell of shells) await shell.run(`cd ${mount}; cat value`);
  const before = requested(/cvmfspublished/);
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const asked = requested(/cvmfspublished/) - before;
  t.true(asked >= 3 && asked <= 13, `${asked} in 6 s`);
});
