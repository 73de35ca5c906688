// The single file as it is shipped, alone in an empty directory: as launcher and as fusemount helper, in a Debian root that
// has no Node and in an image that has no loader; with the configuration that it carries.
import { execFileSync } from 'node:child_process';
import { copyFileSync, lchownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { apptainerRoot } from '../support/apptainer-root.ts';
import { TestServer } from '../support/http-server.ts';
import { user } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';

const root = apptainerRoot();
const place = new Installation();
const alone = join(place.directory, 'alone');
const file = join(alone, 'cvmfsexec');
const WALK = 'find . | wc -l; find . -type f -perm -400 -print0 | LC_ALL=C sort -z | xargs -0 cat | md5sum';
let repository: TestRepository;
let server: TestServer;
let walked = '';

test.before(async () => {
  repository = await makeTestRepository();
  server = await TestServer.start({ root: repository.serverRoot });
  walked = execFileSync('sh', ['-c', WALK], { cwd: repository.tree, encoding: 'utf8' });
  const configuration = join(place.directory, 'configuration');
  mkdirSync(join(configuration, 'keys'), { recursive: true });
  copyFileSync(repository.publicKey, join(configuration, `keys/${repository.fqrn}.pub`));
  // The proxy is found by a program in JavaScript, which another Node runs.
  writeFileSync(join(repository.serverRoot, 'wpad.dat'), 'function FindProxyForURL(url, host) { return "DIRECT" }');
  const settings = [`SERVER_URL=${server.url}/@fqrn@`, 'HTTP_PROXY=auto', `PAC_URLS=${server.url}/wpad.dat`];
  writeFileSync(join(configuration, 'default.local'), settings.map((line) => `CVMFS_${line}\n`).join(''));
  writeFileSync(join(place.directory, 'walk'), WALK);
  if ('directory' in root) makeBusyboxImage(root.directory, join(place.directory, 'busybox'));
  mkdirSync(alone);
  const words = [
    place.program,
    'makedist',
    '-o',
    file,
    '--config',
    configuration,
    '--with-fuse-overlayfs',
    '--with-node',
  ];
  const { exitCode, stderr } = await place.command(words, { as: { name: 'root', uid: 0, gid: 0, prefix: [] } });
  if (exitCode !== 0) throw new Error(stderr);
});
test.after.always(async () => {
  await place.close();
  await server?.close();
  repository?.remove();
});

function makeBusyboxImage(debian: string, image: string): void {
  for (const directory of ['', 'bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'var', 'var/tmp']) {
    mkdirSync(join(image, directory));
    lchownSync(join(image, directory), user.uid, user.gid);
  }
  copyFileSync(join(debian, 'usr/bin/busybox'), join(image, 'bin/busybox'));
  const applets = execFileSync(join(image, 'bin/busybox'), ['--list'], { encoding: 'utf8' });
  for (const applet of applets.split('\n').filter((name) => name && name !== 'busybox'))
    symlinkSync('busybox', join(image, 'bin', applet));
  for (const file of ['passwd', 'group', 'hosts', 'resolv.conf', 'localtime'])
    writeFileSync(join(image, 'etc', file), '');
}

const SETUP = `P=${place.directory} F=${file}; export CVMFSEXEC_UNPACK_DIR=${place.scratch}/unpacked`;

function onHost(script: string) {
  return place.command(['sh', '-c', `${SETUP} R=${repository.fqrn}; M=/cvmfs/$R\n${script}`]);
}

test.serial('without options, everything from the configuration that it carries; another can be given', async (t) => {
  const { stdout, stderr } = await onHost(`
    for i in 1 2; do $F $R -- sh -c "id -u; cd $M && $(printf %s '${WALK}'); exit 7"; echo $?; done
    $F config $R | grep -E '^CVMFS_(PAC_URLS|KEYS_DIR)='; mkdir $P/scratch/empty; $F --config $P/scratch/empty $R -- true; echo $?; ls -A ${alone}`);
  const lines = stdout.split('\n');
  t.is(lines.slice(0, 8).join('\n'), `${`${user.uid}\n${walked}7\n`.repeat(2)}`.trimEnd(), stderr);
  t.regex(stdout, /^CVMFS_PAC_URLS=http:.*\/unpacked\/[0-9a-f]{64}\/\S*etc\/cvmfs\/default.local:3/m);
  t.true(stdout.endsWith('\n125\ncvmfsexec\n'), stdout);
});

test.serial('a server that was killed is replaced, by the same loader', async (t) => {
  const { stdout, stderr } = await onHost(`
    $F $R -- sh -c "cat $M/README >/dev/null; kill -9 \\$(pgrep -f 'start[.]cjs server'); cat $M/README; ls $M | wc -l
      tr '\\0' ' ' </proc/\\$(pgrep -f 'start[.]cjs server')/cmdline | cut -d ' ' -f 1"`);
  t.true(stdout.startsWith(readFileSync(join(repository.tree, 'README'), 'utf8')), stdout + stderr);
  t.regex(stdout, /\n\S+\/unpacked\/\S+\/node\/lib\/ld-linux-[^/]*\n$/);
  t.regex(stderr, /^cvmfsexec: the file system server ended \(signal 9\); a new one takes over\n$/);
});

/** Runs a script as the ordinary user in the Debian root. $busybox and $debian are images. */
function inRoot(script: string) {
  const inside = join(import.meta.dirname, '../support/in-root.sh');
  const setup = `P=${place.directory} F=${file} R=${repository.fqrn} M=/cvmfs/${repository.fqrn} busybox=$P/busybox debian=/mnt/debian\n`;
  const words = ['sh', inside, 'directory' in root ? root.directory : '', user.name, place.directory, 'bash', '-c'];
  return place.command([...words, setup + script], { as: { name: 'root', uid: 0, gid: 0, prefix: [] }, limit: 120 });
}

const withRoot = 'missing' in root ? test.skip : test.serial;
if ('missing' in root) test.before((t) => t.log(`skipped, there is no root directory with apptainer: ${root.missing}`));

withRoot(
  'copied alone to an empty directory of a Debian root: launcher, tools, and what it needs beside',
  async (t) => {
    const { stdout, stderr } = await inRoot(`
    type node 2>/dev/null; mkdir ~/empty; cp $F ~/empty/cvmfsexec; cd ~/empty; ln -s ~/empty/cvmfsexec ~/cvmfs_config
    for i in 1 2; do ./cvmfsexec $R -- sh -c "id -u; cd $M; sh $P/walk; exit 3"; echo $?; done
    ~/cvmfs_config showconfig $R | grep -c keys; ls -A ~/empty; ls /var/tmp; ls -A /tmp
    /var/tmp/cvmfsexec-*/*/libexec/fuse-overlayfs --version | grep overlay`);
    const lines = stdout.split('\n');
    t.is(lines.slice(0, 8).join('\n'), `${user.uid}\n${walked}3\n`.repeat(2).trimEnd(), stderr);
    t.deepEqual(lines.slice(8, 12), ['1', 'cvmfsexec', `cvmfs-${user.uid}`, `cvmfsexec-${user.uid}`], stdout + stderr);
    t.regex(stdout, /\nfuse-overlayfs: version .*\n$/, stderr);
  },
);

for (const image of ['busybox', 'debian']) {
  withRoot(`fusemount helper in a ${image} image: of all kinds, contained, fakeroot`, async (t) => {
    const { stdout, stderr } = await inRoot(`
      run() { # TYPE [OPTION...]
        helper="$1:$F --as cvmfs2 -o CVMFS_CACHE_BASE=$P/scratch/${image} $R $M"; shift
        apptainer -q exec "$@" -B $P --fusemount "$helper" $${image} sh -c "cat $M/README >/dev/null && exit 7"; echo $?
      }
      run host; run container; run host-daemon; run container-daemon; run container -C -e; run container --fakeroot
      apptainer -q exec -B $P --fusemount "container:$F --as cvmfs2 $R $M" $${image} sh -c "cd $M; sh $P/walk"`);
    t.is(stdout, `${'7\n'.repeat(6)}${walked}`, stderr);
  });
}
