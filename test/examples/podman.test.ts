// examples/podman.sh: rootless podman with the images of a hub, inside of a job.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ImageHub, REGISTRY, writeBusyboxTree } from '../support/image-hub.ts';
import { user } from '../support/ordinary-user.ts';
import { writePodmanStore } from '../support/podman-store.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { type Outcome, ordinaryUser } from '../support/run-cvmfsexec.ts';
import { Newcomer } from './newcomer.ts';

const HUB = 'hub.example.org';
const IMAGE = 'library/layered:1';
/** Whiteouts are as DUCC leaves them: files. */
const DUCC_IMAGE = 'library/ducc:1';
const newcomer = new Newcomer();
let repository: TestRepository;

const missing =
  process.getuid?.() !== 0
    ? 'root makes a range of ids for the user'
    : ['podman', 'crun', 'newuidmap', 'fuse-overlayfs'].find((program) => spawnSync(program, ['--version']).error);
const withPodman = missing ? test.skip : test.serial;

test.before(async (t) => {
  if (missing) {
    t.log(`skipped: ${missing}`);
    return;
  }
  repository = await makeTestRepository({
    fqrn: HUB,
    xattrs: new Map(),
    writeTree(directory) {
      const hub = new ImageHub(directory);
      const lower = (layer: string) => {
        writeBusyboxTree(layer);
        writeFileSync(join(layer, 'etc/changed'), 'lower\n');
        writeFileSync(join(layer, 'etc/deleted'), 'lower\n');
      };
      const upper = (whiteout: (path: string) => void) => (layer: string) => {
        mkdirSync(join(layer, 'etc'));
        writeFileSync(join(layer, 'etc/changed'), 'upper\n');
        writeFileSync(join(layer, 'hello'), '#!/bin/sh\necho hello from $FROM\n', { mode: 0o755 });
        whiteout(join(layer, 'etc'));
      };
      const config = { Env: ['PATH=/bin', 'FROM=image'], Cmd: ['/hello'] };
      const device = (etc: string) => execFileSync('mknod', [join(etc, 'deleted'), 'c', '0', '0']);
      const file = (etc: string) => writeFileSync(join(etc, '.wh.deleted'), '');
      hub.addLayered(IMAGE, [lower, upper(device)], { config });
      hub.addLayered(DUCC_IMAGE, [lower, upper(file)], { config: { ...config, Cmd: ['/bin/ls', '/etc'] } });
      writePodmanStore(directory, [IMAGE, DUCC_IMAGE]);
    },
  });
});
test.after.always(async () => {
  await newcomer.close();
  repository?.remove();
});

// A range of ids for the user, as administrators give one; and no control groups of both versions at once, which crun refuses.
const HOST = `set -e
printf '%s\\n' "$2" >"$1/subids"
for f in subuid subgid; do [ -e /etc/$f ] || : >/etc/$f; mount --bind "$1/subids" /etc/$f; done
umount /sys/fs/cgroup/unified 2>/dev/null || :
shift 2
exec "$@"`;

function podman(
  words: readonly string[],
  env: Record<string, string> = {},
  script = 'podman.sh',
  ids = `${user.name}:300000:65536`,
): Promise<Outcome> {
  const { place } = newcomer;
  return place.command(
    [
      'unshare',
      '--mount',
      'sh',
      '-c',
      HOST,
      'sh',
      place.directory,
      ids,
      ...ordinaryUser.prefix,
      join(newcomer.examples, script),
      ...words,
    ],
    {
      as: { name: 'root', uid: 0, gid: 0, prefix: [] },
      env: {
        HOME: newcomer.home,
        USER: user.name,
        PATH: `${join(place.program, '..')}:${process.env.PATH}`,
        PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
        HUB,
        CVMFS_SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
        CVMFS_KEYS_DIR: repository.clientKeys,
        CVMFS_HTTP_PROXY: 'DIRECT',
        CVMFS_CACHE_BASE: join(newcomer.home, 'cache'),
        ...env,
      },
      limit: 90,
    },
  );
}
const directories = () => readdirSync('/tmp').filter((name) => name.startsWith('podman.'));
const before = directories();
const image = `${REGISTRY}/${IMAGE}`;

withPodman('podman lists the images of the hub as read-only', async (t) => {
  const { stdout, stderr, exitCode } = await podman(['--images']);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, new RegExp(`${REGISTRY}/library/layered +1 .* true\\n`));
});

for (const [engine, env] of [
  ['fuse-overlayfs', {}],
  ['the kernel’s overlay', { MOUNT_PROGRAM: '' }],
] as const) {
  withPodman(`${engine}: the layers are one tree in which what an upper one deleted is gone`, async (t) => {
    const { stdout, stderr, exitCode } = await podman(
      [image, 'sh', '-c', 'cat /etc/changed; ls /etc/deleted; id -u; exit 6'],
      env,
    );
    t.is(stdout, 'upper\n0\n', stderr);
    t.regex(stderr, /ls: \/etc\/deleted: No such file or directory/);
    t.is(exitCode, 6);
  });

  withPodman(`${engine}: without a command the image’s own runs, in the image’s environment`, async (t) => {
    const { stdout, stderr, exitCode } = await podman([image], env);
    t.is(stdout, 'hello from image\n', stderr);
    t.is(exitCode, 0);
  });

  withPodman(`${engine}: containers have several users, and files are given to them`, async (t) => {
    const script =
      'echo new >/etc/changed; touch /etc/new; chown 33:44 /etc/new; ls -ln /etc/new; tail -1 /proc/self/uid_map';
    const root = await podman([image, 'sh', '-c', script], env);
    t.regex(root.stdout, /^\S+ +1 33 +44 .* \/etc\/new\n +1 +300000 +65536\n$/, root.stderr);
    const other = await podman(
      ['--user', '1000:1000', image, 'sh', '-c', 'id -u; cat /etc/changed; touch /etc/x'],
      env,
    );
    t.is(other.stdout, '1000\nupper\n', other.stderr);
    t.regex(other.stderr, /touch: \/etc\/x: Permission denied/);
  });
}

withPodman('fuse-overlayfs honours whiteouts that are files', async (t) => {
  const { stdout, stderr } = await podman([`${REGISTRY}/${DUCC_IMAGE}`]);
  t.deepEqual(
    stdout.split('\n').filter((name) => /deleted|changed/.test(name)),
    ['changed'],
    stderr,
  );
});

withPodman('without a range of ids and without --map-subids a container has its root alone', async (t) => {
  const text = readFileSync(join(newcomer.examples, 'podman.sh'), 'utf8');
  writeFileSync(join(newcomer.examples, 'without.sh'), text.replace('cvmfsexec --map-subids', 'cvmfsexec'), {
    mode: 0o755,
  });
  const { stdout, stderr } = await podman(
    [image, 'sh', '-c', 'cat /etc/changed /proc/self/uid_map'],
    {},
    'without.sh',
    '',
  );
  t.is(stdout.replace(/ +/g, ' '), `upper\n 0 ${user.uid} 1\n`, stderr);
});

withPodman('nothing is left of a container', (t) => {
  t.deepEqual(directories(), before);
});
