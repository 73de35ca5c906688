// Commands inside container images of a repository: what is there, what they are given, and how they end.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ImageHub, REGISTRY, writeBusyboxTree, writeSingularityFiles } from '../support/image-hub.ts';
import { user } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, identities, type Launch, type Outcome } from '../support/run-cvmfsexec.ts';

const FQRN = 'hub.example.org';
const place = new Installation();
const cache = place.newPath();
let repository: TestRepository;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map(),
    writeTree(directory) {
      const hub = new ImageHub(directory);
      const full = hub.addFlat('library/full:1');
      writeBusyboxTree(full);
      writeSingularityFiles(full);
      writeBusyboxTree(hub.addFlat('library/plain:latest'));
      hub.link('library/plain:sha256:11', 'library/plain:latest');
      const config = {
        Env: ['PATH=/special:/bin', 'QUOTED=it\'s "x" $HOME', 'LD_LIBRARY_PATH=/special/lib', 'odd.name=1', '-n=2'],
        Entrypoint: ['/bin/echo', 'entry  point'],
        Cmd: ["it's", '$HOME'],
      };
      const oci = hub.addFlat('some/oci:2', config);
      writeBusyboxTree(oci);
      mkdirSync(join(oci, 'special'));
      const layers = [lowestLayer, middleLayer, topLayer];
      hub.addLayered('library/layered:1', layers, { config: { Cmd: ['/bin/cat', '/etc/issue'] } });
      hub.addLayered('library/chained:1', layers, { chain: mergedLayers });
      writeFileSync(join(oci, 'special/tool'), '#!/bin/sh\necho "special $QUOTED $LD_LIBRARY_PATH"\n', { mode: 0o755 });
    },
  });
});

function lowestLayer(directory: string): void {
  writeBusyboxTree(directory);
  for (const name of ['kept', 'replaced', 'gone']) {
    mkdirSync(join(directory, 'data', name), { recursive: true });
    writeFileSync(join(directory, 'data', name, 'file'), `lowest ${name}\n`);
  }
  writeFileSync(join(directory, 'data/removed'), '');
}

/** Removes a file and a directory. */
function middleLayer(directory: string): void {
  mkdirSync(join(directory, 'data'));
  for (const name of ['.wh.removed', '.wh.gone']) writeFileSync(join(directory, 'data', name), '');
  mkdirSync(join(directory, 'etc'));
  writeFileSync(join(directory, 'etc/issue'), 'a layered image\n');
}

/** Puts another directory in the place of one. */
function topLayer(directory: string): void {
  mkdirSync(join(directory, 'data/replaced'), { recursive: true });
  writeFileSync(join(directory, 'data/replaced/.wh..wh..opq'), '');
  writeFileSync(join(directory, 'data/replaced/new'), 'top\n');
}

function mergedLayers(directory: string): void {
  writeBusyboxTree(directory);
  for (const name of ['kept', 'replaced']) mkdirSync(join(directory, 'data', name), { recursive: true });
  writeFileSync(join(directory, 'data/kept/file'), 'lowest kept\n');
  writeFileSync(join(directory, 'data/replaced/new'), 'top\n');
  writeFileSync(join(directory, 'etc/issue'), 'a layered image\n');
}

test.after.always(async () => {
  await place.close();
  repository?.remove();
});

/** `image`: `--image` and other options. */
function inImage(image: readonly string[], command: readonly string[], more: Partial<Launch> = {}): Promise<Outcome> {
  return place.run({
    repositories: [FQRN],
    parameters: {
      SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_BASE: cache,
    },
    options: ['--image', ...image],
    command,
    env: { HOME: place.scratch },
    ...more,
  });
}

const sh = (code: string) => ['sh', '-c', code];
/** Of another base, since `scratch` is in /tmp, which is bound as a whole. */
const FULL = `/cvmfs/${FQRN}/${REGISTRY}/library/full:1`;

for (const identity of identities) {
  const as = identity.name;
  test(`${as}: the image is the root, the caller is the caller, and the host's devices, home and /cvmfs are there`, async (t) => {
    const code = `cat /etc/issue; id -u; id -un; pwd; ls /cvmfs/${FQRN}/${REGISTRY}; ls -d /dev/null /proc/self /sys/kernel; cat /etc/hosts; [ -w /tmp ] && echo made >/new && cat /new`;
    const own = {
      as: identity,
      parameters: { SERVER_URL: `file://${repository.serverRoot}/@fqrn@`, KEYS_DIR: repository.clientKeys },
    };
    const outcome = await inImage([FULL], sh(code), own);
    const name = identity.uid === 0 ? 'root' : user.name;
    const hosts = readFileSync('/etc/hosts', 'utf8');
    t.is(outcome.stderr, '');
    t.is(
      outcome.stdout,
      `a busybox image\n${identity.uid}\n${name}\n${place.scratch}\nlibrary\nsome\n/dev/null\n/proc/self\n/sys/kernel\n${hosts}made\n`,
    );
    t.is(outcome.exitCode, 0);
  });
}

test('an image that is only named is looked up in the repositories; a path below /cvmfs names its repository', async (t) => {
  const names = [
    'full:1',
    'library/full:1',
    `docker://${REGISTRY}/library/full:1`,
    'full:1@sha256:00',
    'plain@sha256:11',
    'docker.io/library/full:1',
    FULL,
  ];
  for (const name of [...names, 'plain']) {
    const { stdout, stderr } = await inImage([name], ['cat', '/etc/issue'], {
      repositories: name === FULL ? [] : [FQRN],
    });
    t.is(stdout, 'a busybox image\n', `${name}: ${stderr}`);
  }
});

test('a directory is an image too, without any repository, also with an odd name or a long one', async (t) => {
  for (const name of ['an "image", with: odd\\name', 'a long path/'.repeat(25)]) {
    const image = join(place.directory, name);
    writeBusyboxTree(image);
    const { stdout, stderr } = await inImage(
      [image, '--overlay-engine', 'kernel'],
      sh('cat /etc/issue; ls /cvmfs; echo written >/new; cat /new'),
      { repositories: [] },
    );
    t.is(stderr, '');
    t.is(stdout, 'a busybox image\nwritten\n');
  }
});

test('an image of layers: by its chain, or by the layers themselves, without what upper ones removed', async (t) => {
  const code =
    'cat /etc/issue; cd /data; find . | sort; cat */*; echo x >kept/file; rm -r replaced; mkdir replaced; ls -A replaced';
  const expected = 'a layered image\n.\n./kept\n./kept/file\n./replaced\n./replaced/new\nlowest kept\ntop\n';
  const manifest = `/cvmfs/${FQRN}/.metadata/${REGISTRY}/library/layered:1/manifest.json`;
  for (const image of ['chained:1', 'layered:1', manifest]) {
    const { stdout, stderr } = await inImage([image], sh(code));
    t.is(stdout, expected, stderr);
  }
});

test('a runtime bundle', async (t) => {
  const bundle = join(place.directory, 'bundle');
  writeBusyboxTree(join(bundle, 'rootfs'));
  const settings = { process: { args: ['/bin/cat', '/etc/issue'], env: ['PATH=/bin', 'FROM_BUNDLE=yes'] } };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(settings));
  const { stdout, stderr } = await inImage([bundle], sh('echo $FROM_BUNDLE'));
  t.is(stdout, 'yes\n', stderr);
});

test('what is not there is refused with one line', async (t) => {
  const refused = async (image: string[], command: string[], expected: RegExp, exitCode = 125) => {
    const outcome = await inImage(image, command);
    t.regex(outcome.stderr, expected);
    t.is(outcome.stderr.trimEnd().split('\n').length, 1, outcome.stderr);
    t.is(outcome.exitCode, exitCode);
  };
  await refused(['full:7'], ['true'], /there is no image 'full:7' in hub\.example\.org/);
  await refused([`/cvmfs/${FQRN}/nothing`], ['true'], /there is no image directory/);
  await refused(['../../etc'], ['true'], /there is no image directory/);
  await refused(['/etc/passwd'], ['true'], /\/etc\/passwd is a file: only unpacked images/);
  await refused(['a/../b'], ['true'], /no name of an image/);
  await refused(['plain', '--bind', '/nowhere:/x'], ['true'], /--bind \/nowhere:\/x: there is no \/nowhere/);
  await refused(['plain', '--bind', '/etc:relative'], ['true'], /expected SOURCE/);
  await refused(['plain', '--pwd', '/nowhere'], ['true'], /--pwd: there is no directory \/nowhere in the image/);
  await refused(['plain', '--env', 'novalue'], ['true'], /expected NAME=VALUE/);
  await refused(['plain'], ['nothing'], /nothing: command not found in the image/, 127);
  await refused(['plain'], ['/etc/issue'], /Permission denied/, 126);
});

test("an image's own words: environment scripts, runscript, and OCI configuration", async (t) => {
  const full = await inImage(['full:1'], sh('echo "$PATH $TONE $FROM_IMAGE"'));
  t.is(full.stdout, '/usr/local/bin:/usr/bin:/bin a "b" yes\n');
  t.is(
    (await inImage(['full:1', '--env', 'FROM_IMAGE=no', '--env', 'TONE='], sh('echo "$TONE $FROM_IMAGE"'))).stdout,
    ' no\n',
  );
  t.is((await inImage(['some/oci:2'], ['tool'])).stdout, `special it's "x" $HOME /special/lib\n`);
  t.is((await inImage(['some/oci:2', '--env', 'PATH=/bin'], ['tool'])).exitCode, 127);
});

test('without a command an image does what it is made for, or starts a shell', async (t) => {
  const withoutCommand = (image: string) =>
    place.command([place.program, ...settings(), FQRN, '--image', image], {
      env: { HOME: place.scratch, SHELL: '/bin/false' },
    });
  t.is((await withoutCommand('full:1')).stdout, 'the runscript\n');
  t.is((await withoutCommand('layered:1')).stdout, 'a layered image\n');
  t.is((await withoutCommand('some/oci:2')).stdout, "entry  point it's $HOME\n");
  const shell = await place.command([
    'sh',
    '-c',
    'echo "cat /etc/issue; exit 7" | "$@"',
    'sh',
    place.program,
    ...settings(),
    FQRN,
    '--image=plain',
    '--',
  ]);
  t.deepEqual([shell.stdout, shell.exitCode], ['a busybox image\n', 7]);
});

function settings(): string[] {
  const values = {
    SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
    KEYS_DIR: repository.clientKeys,
    CACHE_BASE: cache,
    HTTP_PROXY: 'DIRECT',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-o', `CVMFS_${name}=${value}`]);
}

test('words and environment are bytes, also those that no shell keeps', async (t) => {
  const words = ['a b', "it's", '\n', '$HOME', '-n', '*', 'ü'];
  const { stdout } = await inImage(['plain'], ['sh', '-c', 'for w; do echo "<$w>"; done', 'sh', ...words]);
  t.is(stdout, words.map((word) => `<${word}>\n`).join(''));
  const env = {
    HOME: place.scratch,
    'odd.name': 'x',
    'BASH_FUNC_f%%': '() { :; }',
    TEXT: 'two\nlines',
    LD_PRELOAD: '/none',
  };
  const outcome = await inImage(['plain'], ['env'], { env });
  for (const line of ['odd.name=x', 'BASH_FUNC_f%%=() { :; }', 'TEXT=two\nlines', `CVMFSEXEC_IMAGE=plain`]) {
    t.true(outcome.stdout.includes(`${line}\n`), line);
  }
  t.notRegex(outcome.stdout, /LD_PRELOAD/);
  const clean = await inImage(['plain', '--cleanenv', '--env', 'ONE=1', '-N'], ['env'], { env });
  t.deepEqual(
    clean.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=')[0])
      .sort(),
    ['CVMFSEXEC_IMAGE', 'HOME', 'ONE', 'PATH'],
  );
});

test('--bind, --contain, --no-home, --pwd', async (t) => {
  const source = join(place.scratch, 'a source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'content\n');
  writeFileSync(join(place.scratch, 'single'), 'single\n');
  const binds = ['--bind', `${source}:/new/place`, '--bind', `${source}:/read only:ro`, '--bind', `single:/etc/issue`];
  const bound = await inImage(
    ['plain', ...binds],
    sh('cat /new/place/file /etc/issue; ls "/read only"; touch "/read only/x"'),
  );
  t.is(bound.stdout, 'content\nsingle\nfile\n');
  t.regex(bound.stderr, /Read-only file system/);
  t.false(existsSync(join(source, 'x')));

  const contained = await inImage(
    ['plain', '--contain'],
    sh('ls -A /tmp /var/tmp ~; pwd; echo x >/dev/null; ls /dev; echo >/tmp/x; echo >~/x; true 3<>/dev/ptmx'),
  );
  t.is(contained.stderr, '');
  const [home] = contained.stdout.split('\n/');
  t.false(home.includes('single'));
  t.regex(contained.stdout, new RegExp(`${place.scratch}\nfd\nfull\nfuse\nnull\nptmx\npts\nrandom\nshm\n`));
  t.false(existsSync(join(place.scratch, 'x')));

  const elsewhere = { env: { HOME: '/usr/share/doc' } };
  t.regex((await inImage(['plain', '--no-home'], sh('ls /usr/share/doc'), elsewhere)).stderr, /No such file/);
  t.is((await inImage(['plain', '--pwd', '/usr/bin'], ['pwd'])).stdout, '/usr/bin\n');
});

test('a job in an image may make user namespaces, and cannot get at the old root', async (t) => {
  const outcome = await inImage(
    ['plain'],
    sh(
      'unshare -Ur id -u; unshare -Urm sh -c "mount -t tmpfs t /var/tmp && umount /var/tmp && umount -l / 2>/dev/null; ls /"; ls /proc/1/root /proc/1/cwd; grep -c " / / " /proc/self/mountinfo',
    ),
  );
  t.regex(outcome.stdout, /^0\nbin\n/);
  t.regex(outcome.stdout, /\n1\n$/);
  t.regex(outcome.stderr, /\/proc\/1\/root/);
  t.notRegex(outcome.stdout, /boot|lost\+found/);
});

test('repositories that are mounted from inside appear in the image', async (t) => {
  const code = `ls /cvmfs; "$CVMFSMOUNT" ${FQRN} && ls /cvmfs/${FQRN}/${REGISTRY} && "$CVMFSUMOUNT" ${FQRN} && ls /cvmfs`;
  const image = join(place.directory, 'asking image');
  writeBusyboxTree(image);
  for (const options of [[], ['--cleanenv', '--contain']]) {
    const { stdout, stderr } = await inImage([image, ...options], sh(code), { repositories: [] });
    t.is(stdout, 'library\nsome\n', stderr);
  }
});

test('an overlay of a repository is there in the image too', async (t) => {
  const changes = join(place.scratch, 'changes');
  const code = `echo kept >/cvmfs/${FQRN}/new; cat /cvmfs/${FQRN}/new; "$CVMFSMOUNT" nosuch.example.org`;
  const { stdout, stderr } = await inImage(['plain', '--overlay', `${FQRN}:${changes}`], sh(code));
  t.is(stdout, 'kept\n', stderr);
  t.regex(stderr, /^cvmfsexec: cannot mount nosuch/m);
  t.is(readFileSync(join(changes, 'upper/new'), 'utf8'), 'kept\n');
});

test('status and signals of a command in an image come out', async (t) => {
  t.is((await inImage(['full:1'], sh('exit 42'))).exitCode, 42);
  t.is((await inImage(['plain'], sh('kill -9 $$'))).exitCode, undefined);
  t.regex(
    (await inImage(['plain'], sh('umask'), { wrapper: ['sh', '-c', 'umask 027; exec "$@"', 'sh'] })).stdout,
    /^0?027$/m,
  );
});

test('links at the places to mount upon lead somewhere inside the image only', async (t) => {
  const image = join(place.directory, 'hostile');
  writeBusyboxTree(image);
  const outside = join(place.scratch, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(image, 'cvmfs'));
  symlinkSync(`../../../../..${outside}/file`, join(image, 'etc/hosts'));
  symlinkSync('/loop/x', join(image, 'loop'));
  const outcome = await inImage([image, '--bind', '/usr/share:/loop/y'], ['true']);
  t.regex(outcome.stderr, /--bind \/usr\/share:\/loop\/y: .*too many symbolic links/);
  t.false(existsSync(join(outside, 'file')));
  const good = await inImage([image, '--contain'], sh(`ls ${outside}; cat ${outside}/file; readlink /cvmfs`));
  t.regex(good.stdout, new RegExp(`^${FQRN}\n`));
  t.false(existsSync(join(outside, 'file')));
});
