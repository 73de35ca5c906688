// Overlays: trees of a repository that a job can write to, by both engines.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { isRoot } from '../support/ordinary-user.ts';
import { writeOverlayTree } from '../support/overlay-tree.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, identities, type Launch, type Outcome, ordinaryUser } from '../support/run-cvmfsexec.ts';

const place = new Installation();
const ENGINES = ['kernel', 'fuse'] as const;
let repository: TestRepository;
let mount = '';

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: 'overlay.example.org',
    writeTree(directory) {
      writeOverlayTree(directory);
      writeFileSync(join(directory, 'large'), Buffer.from('0123456789abcdef'.repeat(65_536)));
      execFileSync('sh', ['-c', 'for i in $(seq 300); do cat large; done >large.all; mv large.all large'], {
        cwd: directory,
      });
    },
    compression: 'none',
    chunkSizes: { min: 4 << 20, average: 8 << 20, max: 16 << 20 },
    xattrs: new Map(),
  });
  mount = `/cvmfs/${repository.fqrn}`;
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

interface OverlayJob extends Partial<Launch> {
  /** Behind the repository's name: `/PATH`, `:DIR`, `:DIR:ro`; default: one overlay of all of it. */
  readonly of?: readonly string[];
  readonly engine?: string;
}

const caches = new Map<string, string>();

function launch(script: string, { of = [''], engine = 'auto', options = [], ...more }: OverlayJob = {}): Launch {
  const { serverRoot, clientKeys, fqrn } = repository;
  const { name } = more.as ?? ordinaryUser;
  if (!caches.has(name)) caches.set(name, place.newPath());
  return {
    repositories: [],
    parameters: {
      SERVER_URL: `file://${serverRoot}/@fqrn@`,
      KEYS_DIR: clientKeys,
      CACHE_BASE: caches.get(name) as string,
      ...more.parameters,
    },
    ...more,
    options: [...options, ...of.flatMap((rest) => ['--overlay', `${fqrn}${rest}`]), '--overlay-engine', engine],
    command: ['sh', '-c', `cd ${mount}; ${script}`],
  };
}

/** A shell script that begins in the repository. */
function job(script: string, options?: OverlayJob): Promise<Outcome> {
  return place.run(launch(script, options));
}

for (const as of identities) {
  for (const engine of ENGINES) {
    test.serial(
      `${as.name}, ${engine}: the job can write to the repository; the next one sees it as it is`,
      async (t) => {
        const change =
          'echo new >text/new; echo more >>text/line; rm -r tree; mkdir tree; ls tree; cat text/line text/new; id -u; mount';
        const changed = await job(change, { as, engine });
        const [lines, mounts] = [changed.stdout.split('\n').slice(0, 4), changed.stdout];
        t.deepEqual(lines, ['line', 'more', 'new', String(as.uid)], changed.stderr);
        t.regex(mounts, engine === 'kernel' ? / type overlay .*userxattr/ : / type fuse.fuse-overlayfs /);
        t.is(changed.stderr, '');
        const { stdout, stderr } = await job('cat text/line; ls text tree; cat /proc/mounts', { as, engine });
        t.true(stdout.startsWith('line\ntext:\nline\nlink\nlinked\nlinked-too\nother\n\n'), stderr);
        t.notRegex(stdout, / \/proc\/fs /);
        t.true(stdout.includes('tree:\ndeep\none\n'));
      },
    );
  }
}

for (const engine of ENGINES) {
  test.serial(
    `${engine}: changes kept in a directory are there in the next job, and with :ro can only be seen`,
    async (t) => {
      const kept = `${place.newPath()}, with: odd 'name`;
      const first = await job('echo new >text/new; rm text/other; rm -r tree; mkdir tree; echo 1 >tree/one', {
        of: [`:${kept}`],
        engine,
      });
      t.is(first.exitCode, 0, first.stderr);
      const show = 'ls text tree; cat text/new tree/one; echo again >text/again; mkdir new; rm text/line';
      const expected = 'text:\nline\nlink\nlinked\nlinked-too\nnew\n\ntree:\none\nnew\n1\n';
      const seen = await job(show, { of: [`:${kept}:ro`], engine });
      t.is(seen.stdout, expected, seen.stderr);
      t.is(seen.stderr.match(/Read-only file system/g)?.length, 3, seen.stderr);
      const second = await job(show, { of: [`:${kept}`], engine });
      t.is(second.stdout, expected, second.stderr);
      t.is((await job('ls text', { of: [`:${kept}`] })).stdout, 'again\nlink\nlinked\nlinked-too\nnew\n');
      t.is(readFileSync(join(kept, 'engine'), 'utf8'), `${engine}\n`);
      t.is(lstatSync(kept).mode & 0o777, 0o700);
      const other = engine === 'kernel' ? 'fuse' : 'kernel';
      const refused = await job('true', { of: [`:${kept}`], engine: other });
      t.is(refused.exitCode, 125);
      t.is(
        refused.stderr,
        `cvmfsexec: --overlay ${repository.fqrn}:${kept}: ${kept} was written by the other engine: it needs --overlay-engine ${engine}\n`,
      );
      // By the user alone, with no more than rm.
      t.is((await place.command(['rm', '-rf', kept])).exitCode, 0);
      t.false(existsSync(kept));
    },
  );

  test.serial(
    `${engine}: parts of a repository: behind a link, in a nested catalog, with an odd name, one in another`,
    async (t) => {
      const script = `echo 1 >way/new; cat nested/inner/new; cd odd/a*; echo 2 >new; cat file new; cd ../..
      rm -r tree/deep; mkdir tree/deep; echo 3 >tree/deep/new; ls tree tree/deep; touch text/new`;
      const of = ['/way', '/odd', '/tree', '/tree/deep'];
      const { stdout, stderr } = await job(script, { of, engine });
      t.is(stdout, '1\nodd\n2\ntree:\ndeep\none\n\ntree/deep:\nnew\n', stderr);
      // What is a mount of its own cannot be removed.
      t.regex(stderr, /cannot remove 'tree\/deep'.*busy\n.*\n.*cannot touch 'text\/new': Read-only file system/);
    },
  );

  test.serial(`${engine}: two jobs cannot write to one directory, any number may show it`, async (t) => {
    const kept = place.newPath();
    const writing = place.start(launch('touch seen; echo up; cat', { of: [`:${kept}`], engine }));
    const up = new Promise<string>((resolve) => writing.stdout?.once('data', (data) => resolve(String(data))));
    t.is(await Promise.race([up, writing.then(({ stderr }) => String(stderr))]), 'up\n');
    for (const mode of ['', ':ro']) {
      const { exitCode, stderr } = await job('true', { of: [`:${kept}${mode}`], engine });
      t.is(exitCode, 125);
      t.regex(
        stderr,
        /^cvmfsexec: --overlay \S+: \S+ is in use by another job: give each its own directory, or wait for that job\n$/,
      );
    }
    writing.kill('SIGKILL');
    await writing;
    const both = await Promise.all([0, 1].map(() => job('ls -d seen; sleep 1', { of: [`:${kept}:ro`], engine })));
    t.deepEqual(
      both.map(({ stdout }) => stdout),
      ['seen\n', 'seen\n'],
      both[0].stderr,
    );
  });
}

for (const engine of ENGINES) {
  test.serial(`${engine}: a published file of 300 MB is copied as a whole when it is first written to`, async (t) => {
    const script = `head -c 5 large; echo; printf end >>large; printf start | dd of=large conv=notrunc 2>/dev/null
      stat -c %s large; head -c 5 large; tail -c 3 large; echo; tail -c +6 large | head -c 314572795 | md5sum`;
    const { stdout, stderr } = await job(script, { engine, limit: 60 });
    const [before, size, ends, sum] = stdout.split('\n');
    t.deepEqual([before, size, ends], ['01234', '314572803', 'startend'], stderr);
    const rest = execFileSync('sh', ['-c', 'tail -c +6 "$1" | md5sum', 'sh', join(repository.tree, 'large')]);
    t.is(`${sum}\n`, String(rest));
  });

  const asPublished = isRoot ? test.serial : test.serial.skip;
  asPublished(`${engine}: what belongs to others can be read, and not changed`, async (t) => {
    const parameters = { ...launch('').parameters, CLAIM_OWNERSHIP: 'no', CACHE_BASE: place.newPath() };
    const script = `stat -c %u text/line; cat text/line; LC_ALL=C; export LC_ALL
      for change in 'touch text/new' 'rm text/line' 'chmod 600 text/line' 'mv text/line text/else' 'mkdir new'; do
        $change 2>&1 | sed 's/.*: //'; done; cat text/line; ls text`;
    const { stdout } = await job(script, { engine, parameters });
    const [owner, ...lines] = stdout.split('\n');
    t.is(owner, readFileSync('/proc/sys/kernel/overflowuid', 'latin1').trim());
    const large = 'Value too large for defined data type';
    const denied = 'Permission denied';
    const expected = [
      'line',
      denied,
      large,
      large,
      large,
      '',
      'line',
      'line',
      'link',
      'linked',
      'linked-too',
      'other',
      '',
    ];
    t.deepEqual(
      lines,
      expected.filter((line, i) => line !== '' || i === expected.length - 1),
    );
  });
}

test.serial('a repository under an overlay cannot be unmounted from inside', async (t) => {
  const script = `cd /; $CVMFSUMOUNT ${repository.fqrn}; echo $?; cat ${mount}/text/line; echo more >>${mount}/text/line && tail -n 1 ${mount}/text/line`;
  const { stdout, stderr } = await job(script);
  t.is(stdout, '1\nline\nmore\n');
  t.is(stderr, `cvmfsexec: cannot unmount ${repository.fqrn}: --overlay uses it\n`);
});

/** Only root can fill a file system that nobody else has. */
const onFullDisk = isRoot ? test.serial : test.serial.skip;
onFullDisk('changes that would go to a full disk are refused', async (t) => {
  const disk = place.newPath();
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=777', 'tmpfs', disk]);
  try {
    t.throws(() => writeFileSync(join(disk, 'full'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
    const { stderr, exitCode } = await job('echo not reached', { of: [`:${disk}/changes`] });
    t.regex(stderr, /^cvmfsexec: [^\n]*cannot write to [^\n]*: is the disk full\?\n$/);
    t.is(exitCode, 125);
  } finally {
    execFileSync('umount', [disk]);
  }
});

test.serial('what cannot be overlaid is one line and 125', async (t) => {
  const file = place.newPath();
  writeFileSync(file, '');
  const { fqrn } = repository;
  const cases: [string, string[], RegExp][] = [
    ['/nowhere', [], /there is no directory \/cvmfs\/overlay\.example\.org\/nowhere\n/],
    ['/text/line', [], /there is no directory \/cvmfs\/overlay\.example\.org\/text\/line\n/],
    [':/nowhere-on-this-host', [], /cannot make the directory \/nowhere-on-this-host\n/],
    [':/cvmfs/kept', [], /no place that outlives the job\n/],
    ['/away', [], /leads to \/etc, which is in no repository\n/],
    ['/../../etc', [], /leads to \/etc, which is in no repository\n/],
    [`:${file}`, [], /cannot make the directory \/\S+\n/],
    [`:/proc/nowhere/at/all`, [], /cannot make the directory \/proc\/nowhere\/at\/all\n/],
    [`:${place.newPath()}:ro`, [], /there is no directory \S+\/upper: run a job without ':ro' first\n/],
    [
      '',
      ['--fuse-overlayfs', 'nowhere', '--overlay-engine', 'fuse'],
      /\/scratch\/nowhere is not a program \(--fuse-overlayfs\)\n/,
    ],
    ['', ['--fuse-overlayfs', '/bin/false', '--overlay-engine', 'fuse'], /fuse-overlayfs failed: it does not answer\n/],
    [
      '',
      ['--fuse-overlayfs', '/bin/cat', '--overlay-engine', 'fuse'],
      /fuse-overlayfs failed: \S+ invalid option -- 'f'\n/,
    ],
    [':', [], /the directory that holds the changes is missing; see 'cvmfsexec --help'\n/],
    ['', ['--overlay-engine=best'], /--overlay-engine best: expected auto, kernel, fuse; see 'cvmfsexec --help'\n/],
  ];
  for (const [of, options, expected] of cases) {
    const parameters = launch('').parameters;
    const command = ['echo', 'not reached'];
    const words = ['--overlay', `${fqrn}${of}`, ...options];
    const { stdout, stderr, exitCode, timedOut } = await place.run({
      repositories: [],
      parameters,
      options: words,
      command,
    });
    t.false(timedOut);
    t.is(exitCode, 125, of);
    t.is(stdout, '');
    t.regex(stderr, new RegExp(`^cvmfsexec: [^\\n]*${expected.source}$`), of);
  }
});
