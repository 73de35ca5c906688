// --auto: repositories that appear below /cvmfs when somebody goes there.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Servers } from '../../soak/servers.ts';
import { identities, type Launch } from '../support/run-cvmfsexec.ts';
import { prepareSiteOfSeveral } from '../support/site.ts';

const NAMES = Array.from({ length: 20 }, (_, i) => `r${i}.example.org`);
const FILES = 5;

const site = prepareSiteOfSeveral(test, NAMES, (tree, fqrn) => {
  for (let i = 0; i < FILES; i++) writeFileSync(join(tree, `file-${i}`), `${fqrn} ${i}\n`);
});
const { place } = site;

function job(script: string, more: Partial<Launch> = {}): Launch {
  return {
    repositories: [],
    options: ['--auto'],
    command: ['sh', '-c', script],
    ...more,
    parameters: {
      SERVER_URL: `${site.server.url}/@fqrn@`,
      KEYS_DIR: site.repositories.clientKeys,
      DEFAULT_DOMAIN: 'example.org',
      BACKOFF_INIT: '0',
      MAX_RETRIES: '0',
    },
  };
}

/** Each is the first thing that happens to a repository. */
const FIRST = [
  ['cat /cvmfs/r0.example.org/file-0', 'r0.example.org 0'],
  ['ls /cvmfs/r0.example.org', 'file-0\nfile-1\nfile-2\nfile-3\nfile-4'],
  ['ls -ld /cvmfs/r0.example.org | cut -c1', 'd'],
  ['cd /cvmfs/r0.example.org && ls && pwd -P', 'file-0\nfile-1\nfile-2\nfile-3\nfile-4\n/cvmfs/r0.example.org'],
  ['stat -f -c %T /cvmfs/r0.example.org; df --output=source /cvmfs/r0.example.org | tail -1', 'fuseblk\ncvmfs2'],
  ['find /cvmfs/r0.example.org -name file-3', '/cvmfs/r0.example.org/file-3'],
  ['getfattr --only-values -n user.fqrn --absolute-names /cvmfs/r0.example.org; echo', 'r0.example.org'],
  [
    '[ -d /cvmfs/r0.example.org ] && [ -e /cvmfs/r0.example.org/file-1 ] && [ ! -h /cvmfs/r0.example.org ]; echo $?',
    '0',
  ],
  ['mountpoint -q /cvmfs/r0.example.org; echo $?', '0'],
  ['[ $(stat -c %d /cvmfs/r0.example.org) = $(stat -c %d /cvmfs) ]; echo $?', '1'],
  ['/cvmfs/r0.example.org/file-0 2>/dev/null; echo $?', '126'],
] as const;

for (const [script, expected] of FIRST) {
  test(`the first access finds the repository: ${script}`, async (t) => {
    const { stdout, stderr } = await place.run(job(script));
    t.is(stderr, '');
    t.is(stdout.trimEnd(), expected.replace('fuseblk', stdout.startsWith('fuse\n') ? 'fuse' : 'fuseblk'));
  });
}

for (const as of identities) {
  test.serial(`what is mounted is shown in /cvmfs, and can be unmounted and comes again (${as.name})`, async (t) => {
    const script = `
      ls /cvmfs; cat /cvmfs/r1.example.org/file-0; ls /cvmfs
      $CVMFSMOUNT r2; ls /cvmfs
      $CVMFSUMOUNT r1; ls /cvmfs; cat /cvmfs/r1.example.org/file-1; ls /cvmfs | wc -l
      mkdir /cvmfs/r3.example.org 2>/dev/null; touch /cvmfs/x 2>/dev/null; ls /cvmfs | wc -l`;
    const { stdout, stderr } = await place.run(job(script, { as }));
    t.is(stderr, '');
    t.deepEqual(stdout.trimEnd().split('\n'), [
      'r1.example.org 0',
      'r1.example.org',
      'r1.example.org',
      'r2.example.org',
      'r2.example.org',
      'r1.example.org 1',
      '2',
      '3',
    ]);
  });
}

test.serial('names that are no repositories do not exist, and are asked for once at most', async (t) => {
  const names = '.git lib bin x.so.1 .Trash-1000 nosuch.example.org other.example.org a..b -x.example.org';
  const script = `for i in 1 2 3; do for n in ${names}; do ls -d /cvmfs/$n 2>&1; [ -e /cvmfs/$n/f ] && echo found; done; done`;
  const before = site.server.requests.length;
  const { stdout, stderr, duration } = await place.run(job(script, { options: ['--auto=*.example.org'] }));
  t.is(stderr, '');
  t.is(stdout.match(/No such file or directory/g)?.length, 3 * names.split(' ').length, stdout);
  t.notRegex(stdout, /found/);
  t.true(duration < 10_000, `${duration}`);
  const asked = site.server.requests.slice(before).map(({ path }) => path);
  t.deepEqual([...new Set(asked.map((path) => path.split('/')[1]))].sort(), [
    'nosuch.example.org',
    'other.example.org',
  ]);
  t.is(new Set(asked).size, asked.length);
});

test.serial('those named can be read, and be under an overlay', async (t) => {
  const options = ['--auto', '--overlay', 'r4.example.org'];
  const script = 'cat /cvmfs/r3.example.org/file-0; cd /cvmfs/r4.example.org && echo more >>file-0 && cat file-0';
  const { stdout, stderr } = await place.run(job(script, { repositories: ['r3.example.org'], options }));
  t.is(stdout, 'r3.example.org 0\nr4.example.org 0\nmore\n', stderr);
});

test.serial('a caller with descriptor 10 open', async (t) => {
  const wrapper = ['bash', '-c', 'exec 10</dev/null; exec "$@"', 'bash'];
  const script = '[ -e /proc/self/fd/10 ] && cat /cvmfs/r4.example.org/file-0';
  const { stdout, stderr } = await place.run({ ...job(script), wrapper });
  t.is(stdout, 'r4.example.org 0\n', stderr);
});

test.serial('a pattern limits which; those named are there from the start', async (t) => {
  const script = `
    ls /cvmfs; cat /cvmfs/r10.example.org/file-0; ls -d /cvmfs/r2.example.org /cvmfs/r5.example.org 2>&1; ls /cvmfs`;
  const { stdout } = await place.run(
    job(script, { repositories: ['r3.example.org'], options: ['--auto', 'r1?.example.org', '--auto=r5.*'] }),
  );
  t.deepEqual(
    stdout.trimEnd().split('\n'),
    [
      'r3.example.org',
      'r10.example.org 0',
      "ls: cannot access '/cvmfs/r2.example.org': No such file or directory",
      '/cvmfs/r5.example.org',
      'r10.example.org',
      'r3.example.org',
      'r5.example.org',
    ].map((line) => line),
  );
});

/** Each of 100 processes reads every file of every repository, beginning with another one. */
const WALK = `
  walk() {
    i=0
    while [ $i -lt 20 ]; do
      n=$((($1 + i) % 20))
      i=$((i + 1))
      for f in 0 1 2 3 4; do
        read -r line </cvmfs/r$n.example.org/file-$f && [ "$line" = "r$n.example.org $f" ] || echo "wrong: $n $f $line"
      done
    done
  }
  p=0
  while [ $p -lt 100 ]; do walk $p & p=$((p + 1)); done
  wait
  grep -c ' /cvmfs/r.* fuse cvmfs2 ' /proc/self/mountinfo`;

test.serial('100 processes walk 20 repositories at once', async (t) => {
  const { stdout, stderr, duration, exitCode } = await place.run(job(WALK, { limit: 120 }));
  t.log(`${Math.round(duration)} ms`);
  t.is(stderr, '');
  t.is(stdout, '20\n');
  t.is(exitCode, 0);
});

test.serial('the same while the server is killed', async (t) => {
  const running = place.start(job(`read line; ${WALK}`, { limit: 120 }));
  const servers = new Servers(place.directory);
  const first = await servers.serving();
  running.stdin!.end('on\n');
  await new Promise((resolve) => setTimeout(resolve, 150));
  process.kill(first, 'SIGKILL');
  const second = await servers.next(first);
  await new Promise((resolve) => setTimeout(resolve, 300));
  // If the walk is not over yet.
  if (servers.running.includes(second)) process.kill(second, 'SIGKILL');
  const { stdout, stderr } = await running;
  t.regex(String(stderr), /^(cvmfsexec: the file system server ended \(signal 9\); a new one takes over\n){1,2}$/);
  t.is(stdout, '20\n');
});
