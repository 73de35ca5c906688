// -m: a file system image as scratch space, by fuse2fs.
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isRoot } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { type Identity, Installation, identities, type Launch, ordinaryUser } from '../support/run-cvmfsexec.ts';

let repository: TestRepository;
const place = new Installation();
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

test.before(async () => {
  repository = await makeTestRepository();
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

function newImage(as: Identity = ordinaryUser): string {
  const image = place.newPath();
  writeFileSync(image, '', { mode: 0o600 });
  truncateSync(image, 32 << 20);
  execFileSync('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', image], { env: { PATH } });
  if (isRoot) chownSync(image, as.uid, as.gid);
  return image;
}

/** What e2fsck finds, looking at all and changing nothing: 0 is a clean file system. */
function check(image: string): { status: number | null; stdout: string } {
  return spawnSync('e2fsck', ['-fn', image], { encoding: 'utf8', env: { PATH } });
}

function launch(image: string, script: string, more: Partial<Launch> = {}): Launch {
  return {
    repositories: [repository.fqrn],
    parameters: {
      SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_BASE: '',
    },
    command: ['sh', '-c', script],
    ...more,
    options: ['-m', image, ...(more.options ?? [])],
  };
}

const WORK = `set -e; touch /e2fs/mine; mkdir /e2fs/d; echo content >/e2fs/d/file; ls -ln /e2fs/mine | cut -d' ' -f3
  ls /e2fs/cvmfscache; cat /cvmfs/${'$R'}/README; ls -d /etc /cvmfs /e2fs`;

for (const as of identities) {
  test.serial(`${as.name}: an image is at /e2fs, writable, has the cache, and is clean afterwards`, async (t) => {
    const image = newImage(as);
    const { stdout, stderr, exitCode } = await place.run(launch(image, WORK, { as, env: { R: repository.fqrn } }));
    t.is(exitCode, 0, stderr);
    t.is(stdout, `${as.uid}\nshared\nA sample.\n/cvmfs\n/e2fs\n/etc\n`);
    const { status, stdout: found } = check(image);
    t.is(status, 0, found);
    const again = await place.run(launch(image, 'cat /e2fs/d/file', { as }));
    t.is(again.stdout, 'content\n', again.stderr);
    t.is(again.stderr, '');
  });
}

test.serial('the image alone, without any repository', async (t) => {
  const image = newImage();
  const { stdout, stderr, exitCode } = await place.run({
    ...launch(image, 'touch /e2fs/x && ls /cvmfs; echo done; sleep 1'),
    repositories: [],
  });
  t.is(stdout, 'done\n', stderr);
  t.is(exitCode, 0);
  t.is(check(image).status, 0);
});

test.serial('a command in a container image has it as well', async (t) => {
  const root = place.newPath();
  mkdirSync(join(root, 'bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  symlinkSync('busybox', join(root, 'bin/sh'));
  const image = newImage();
  const script = 'echo in >/e2fs/x; busybox cat /e2fs/x /cvmfs/*/README';
  const { stdout, stderr, exitCode } = await place.run(launch(image, script, { options: ['--image', root] }));
  t.is(stdout, 'in\nA sample.\n', stderr);
  t.is(exitCode, 0);
  t.is(check(image).status, 0);
});

/** Makes the host one with a /cvmfs, on which somebody has mounted something. */
const withCvmfs = [
  ...['unshare', '-m', '--propagation', 'slave', 'sh', '-c'],
  // The root is made anew with that directory.
  `mount -t tmpfs tmpfs /mnt; cd /mnt; for e in /*; do case $e in /mnt | /cvmfs | /old) continue ;; esac
    if [ -h "$e" ]; then cp -P "$e" .; elif [ -d "$e" ]; then mkdir ".$e"; mount --rbind "$e" ".$e"; fi; done
  mkdir -p cvmfs/other.example.org old mnt; mount -t tmpfs tmpfs cvmfs/other.example.org; touch cvmfs/other.example.org/here
  pivot_root . old; umount -l /old; rmdir /old; cd /; exec "$@"`,
  'sh',
];
const asHost = isRoot ? test.serial : test.serial.skip; // only root can change what a job takes for the host
asHost('on a host with a /cvmfs the image is there as well, and so are the mounts of the host', async (t) => {
  const image = newImage();
  const root = { name: 'root' as const, uid: 0, gid: 0, prefix: [] };
  const { stdout, stderr, exitCode } = await place.run(
    launch(image, 'ls /cvmfs /cvmfs/other.example.org /e2fs; echo x >/e2fs/x; touch /new', {
      as: root,
      wrapper: [...withCvmfs, ...ordinaryUser.prefix],
    }),
  );
  t.is(exitCode, 1, stderr);
  t.regex(
    stdout,
    /^\/cvmfs:\nother\.example\.org\nsample\.example\.org\n\n\/cvmfs\/other\.example\.org:\nhere\n\n\/e2fs:\n/,
  );
  t.regex(stderr, /touch: .*\/new/);
  t.is(check(image).status, 0);
});

asHost('clean also where there can be no pid namespace, as in most containers', async (t) => {
  const image = newImage();
  const masked = 'mount -t tmpfs tmpfs /proc/irq; exec "$@"';
  const wrapper = ['unshare', '-m', '--propagation', 'slave', 'sh', '-c', masked, 'sh', ...ordinaryUser.prefix];
  const root = { name: 'root' as const, uid: 0, gid: 0, prefix: [] };
  const script = 'setsid sh -c "while :; do date >>/e2fs/log; done" & echo $$; touch /e2fs/mine; sleep 0.2';
  const { stdout, stderr, exitCode } = await place.run(launch(image, script, { as: root, wrapper }));
  t.is(exitCode, 0, stderr);
  t.true(Number(stdout) > 100, 'the pid is one of the host');
  t.is(check(image).status, 0);
});

test.serial('clean after TERM, also with processes left behind that write', async (t) => {
  const image = newImage();
  const job = place.start(
    launch(image, 'setsid sh -c "while :; do date >>/e2fs/log; done" & touch /e2fs/begun; echo begun; sleep 60', {
      wrapper: ['timeout', '3'],
    }),
  );
  const { stdout, stderr, durationMs } = await job;
  t.is(stdout, 'begun\n', String(stderr));
  t.true(durationMs < 13_000, `${durationMs}`);
  t.is(check(image).status, 0);
});

test.serial('killed: the next job repairs the image, and a job on one that is in use is refused', async (t) => {
  const image = newImage();
  const job = place.start(launch(image, 'for i in $(seq 200); do mkdir /e2fs/$i; done; echo begun; sleep 60'));
  await new Promise<void>((resolve) => job.stdout?.on('data', () => resolve()));
  const second = await place.run(launch(image, 'true'));
  t.is(second.exitCode, 125);
  t.is(second.stderr, `cvmfsexec: -m: ${image} is in use by another job: each needs an image of its own\n`);
  job.kill('SIGKILL');
  await job;
  const { stdout, stderr, exitCode } = await untilFree(t, () => place.run(launch(image, 'mkdir /e2fs/new; ls /e2fs')));
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /\bnew\n/);
  t.is(check(image).status, 0);
});

/** What was killed is gone a moment later. */
async function untilFree<T extends { stderr: string }>(t: ExecutionContext, run: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const outcome = await run();
    if (tries === 20 || !/in use by another job/.test(outcome.stderr)) return outcome;
    t.log('still in use');
  }
}

test.serial('fuse2fs is killed: the job goes on without the image, the next one repairs it', async (t) => {
  const image = newImage();
  const script = `cat /cvmfs/$R/README; for i in $(seq 50); do echo $i >/e2fs/$i; done
    for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" != fuse2fs ] || kill -9 "\${p#/proc/}"; done; sleep 0.2
    ls /e2fs; cd /cvmfs/$R && find . -type f -perm -400 -print0 | xargs -0 cat | wc -c`;
  const { stdout, stderr, exitCode } = await place.run(launch(image, script, { env: { R: repository.fqrn } }));
  t.is(exitCode, 0, stderr);
  const bytes = execFileSync('sh', ['-c', 'find . -type f -perm -400 -print0 | xargs -0 cat | wc -c'], {
    cwd: repository.tree,
    encoding: 'utf8',
  });
  t.is(stdout, `A sample.\n${bytes}`, stderr);
  t.regex(stderr, /ls: .*(not connected|abort)/);
  const next = await place.run(launch(image, 'touch /e2fs/next'));
  t.is(next.exitCode, 0, next.stderr);
  t.is(check(image).status, 0);
});

test.serial('what cannot be used is refused with what to do', async (t) => {
  const none = place.newPath();
  const missing = await place.run(launch(none, 'true'));
  t.is(missing.exitCode, 125);
  t.is(
    missing.stderr,
    `cvmfsexec: -m: there is no file ${none}; make one: truncate -s 20G FILE && mkfs.ext4 -F -O ^has_journal FILE\n`,
  );
  const noImage = newImage();
  writeFileSync(noImage, 'x'.repeat(100_000));
  const other = await place.run(launch(noImage, 'true'));
  t.is(other.exitCode, 125);
  t.regex(other.stderr, /^cvmfsexec: -m: .*is it an ext2, ext3 or ext4 file system\?/m);
});

asHost('without fuse2fs it says what to install', async (t) => {
  const image = newImage();
  const hide = 'f=$(command -v fuse2fs || echo /usr/bin/fuse2fs); mount --bind /dev/null "$f"; exec "$@"';
  const root = { name: 'root' as const, uid: 0, gid: 0, prefix: [] };
  const wrapper = ['unshare', '-m', '--propagation', 'slave', 'sh', '-c', hide, 'sh', ...ordinaryUser.prefix];
  const { exitCode, stderr } = await place.run(launch(image, 'true', { as: root, wrapper }));
  t.is(exitCode, 125);
  t.is(stderr, "cvmfsexec: -m: no program 'fuse2fs' found: install the package fuse2fs\n");
});
