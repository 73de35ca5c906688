// Images on hosts that lack something: the launcher's part alone, with the stand-in server.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type JobOptions, type Outcome, shells, Workplace } from '../launcher/job.ts';
import { copyProgram, writeBusyboxTree } from '../support/image-hub.ts';
import { isRoot, user } from '../support/ordinary-user.ts';

const place = new Workplace();
const image = join(place.directory, 'image');
test.before(() => {
  writeBusyboxTree(image);
  // What the image lacks has to be made to mount upon: /etc/hosts, /var/tmp.
  mkdirSync(join(image, 'opt/large/deep'), { recursive: true });
  writeFileSync(join(image, 'opt/large/file'), 'in opt\n');
  symlinkSync('/opt/large', join(image, 'link'));
  mkdirSync(join(image, "odd 'name\\"));
  mkdirSync(join(image, 'usr/share/zoneinfo'), { recursive: true });
  writeFileSync(join(image, 'usr/share/zoneinfo/Zone'), 'a time zone\n');
  symlinkSync('../usr/share/zoneinfo/Zone', join(image, 'etc/localtime'));
  execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, image]);
});
test.after.always(() => place.close());

/** Only root can change what a job takes for the host. */
const asHost = isRoot ? test.serial : test.serial.skip;

function inImage(code: string, options: JobOptions = {}, words: readonly string[] = []): Promise<Outcome> {
  return place.run([place.program, '--image', image, ...words, 'test.example.org', '--', 'sh', '-c', code], options);
}

/** Directory with programs that stand before the system's, on PATH. */
function shims(programs: Readonly<Record<string, string>>): string {
  const directory = join(place.directory, `shims-${Object.keys(programs).join('-')}`);
  mkdirSync(directory, { recursive: true });
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
  }
  return `${directory}:${process.env.PATH}`;
}

/** What has to be the same everywhere. */
const LOOK = `cat /etc/issue /link/file; id -u; cat /cvmfs/test.example.org/hello; [ -s /etc/hosts ] && ls -d /dev/null /proc/self
  cat /usr/share/zoneinfo/*; [ -h /etc/localtime ] || echo own; unshare -Ur id -u; pwd; echo "$ODD"; exit 3`;
const seen = (uid: number) =>
  `a busybox image\nin opt\n${uid}\ntest.example.org\n/dev/null\n/proc/self\na time zone\nown\n0\n${place.scratch}\ntwo\nlines\n`;

for (const shell of shells) {
  test.serial(`${shell}: a command in an image`, async (t) => {
    const { stdout, stderr, code } = await inImage(LOOK, { shell, env: { ODD: 'two\nlines' } });
    t.is(stderr, '');
    t.is(stdout.toString(), seen(user.uid));
    t.is(code, 3);
    t.deepEqual(await place.leftovers(), []);
  });
}

test.serial('an image does not need a PATH of the caller', async (t) => {
  const job = ['env', 'PATH=', place.program, '--image', image, 'test.example.org', '--', 'cat', '/etc/issue'];
  const { stdout, stderr } = await place.run(job);
  t.is(stderr, '');
  t.is(stdout.toString(), 'a busybox image\n');
});

test.serial('the user namespace of the command may come late', async (t) => {
  const late = 'case " $* " in *" --map-user="*until*) sleep 1 ;; esac; exec /usr/bin/unshare "$@"';
  const env = { ODD: 'two\nlines', PATH: shims({ unshare: late }) };
  const { stdout, stderr, code } = await inImage(LOOK, { env });
  t.is(stderr, '');
  t.is(stdout.toString(), seen(user.uid));
  t.is(code, 3);
});

const NO_OVERLAY = 'case " $* " in *" overlay "*) exit 32 ;; esac; exec /usr/bin/mount "$@"';

test.serial('where the kernel refuses overlays, fuse-overlayfs makes it', async (t) => {
  const env = { ODD: 'two\nlines', PATH: shims({ mount: NO_OVERLAY }) };
  const { stdout, stderr, code } = await inImage(LOOK, { env });
  t.is(stderr, '');
  t.is(stdout.toString(), seen(user.uid));
  t.is(code, 3);
  const change =
    'echo x >/opt/large/file; cat /opt/large/file; rm -r /opt/large; mkdir /opt/large; ls -A /opt/large; grep -c fuse-overlayfs /proc/self/mountinfo';
  t.is((await inImage(change, { env })).stdout.toString(), 'x\n1\n');
  t.deepEqual(await place.leftovers(), []);
});

test.serial('without any overlay the image is bound into a new root', async (t) => {
  const env = { ODD: 'two\nlines', PATH: shims({ mount: NO_OVERLAY, 'fuse-overlayfs': 'exit 1' }) };
  const { stdout, stderr, code } = await inImage(LOOK, { env }, ['--bind', '/usr/share:/opt/large/deep/new/place']);
  t.is(stderr, '');
  t.is(stdout.toString(), seen(user.uid));
  t.is(code, 3);
  const more = await inImage(
    'ls -d /opt/large/deep/new/place/doc "/odd \'name\\\\"; readlink /link; for f in /etc/issue /bin/new /opt/large/file; do (echo x >$f); done',
    { env },
    ['--bind', '/usr/share:/opt/large/deep/new/place'],
  );
  t.is(more.stdout.toString(), "/odd 'name\\\n/opt/large/deep/new/place/doc\n/opt/large\n");
  t.is(more.stderr.match(/Read-only file system|Permission denied/g)?.length, 3, more.stderr);
  t.false(existsSync(join(image, 'bin/new')));
  t.deepEqual(await place.leftovers(), []);
});

test.serial('unshare without --map-user, as before util-linux 2.36', async (t) => {
  const without =
    'for o; do case $o in --map-user* | --map-group*) echo "unrecognized option \'$o\'" >&2; exit 1 ;; --) break ;; esac; done; exec /usr/bin/unshare "$@"';
  const env = { ODD: 'two\nlines', PATH: shims({ unshare: without }) };
  const { stdout, stderr, code } = await inImage(LOOK, { env });
  t.is(stderr, '');
  t.is(stdout.toString(), seen(user.uid));
  t.is(code, 3);
});

asHost(
  'a part of /proc is covered: no pid namespace, and processes that the command left end all the same',
  async (t) => {
    const host = 'mount --make-rprivate /; mount -t tmpfs tmpfs /proc/bus';
    const env = { ODD: 'two\nlines' };
    const { stdout, stderr, code } = await inImage(`setsid sleep 1005 </dev/null >/dev/null 2>&1 & ${LOOK}`, {
      host,
      env,
    });
    t.is(stderr, '');
    t.is(stdout.toString(), seen(user.uid));
    t.is(code, 3);
    t.deepEqual(await place.leftovers(), []);
  },
);

asHost('an image whose files belong to others', async (t) => {
  const others = join(place.directory, 'others');
  writeBusyboxTree(others);
  const { stdout, stderr } = await place.run([
    place.program,
    '--image',
    others,
    'test.example.org',
    '--',
    'sh',
    '-c',
    'cat /etc/issue; ls /etc/hosts; echo x >/new; cat /new; echo >/etc/group2',
  ]);
  t.is(stdout.toString(), 'a busybox image\n/etc/hosts\nx\n', stderr);
});

for (const shell of shells) {
  asHost(`${shell}: --map-subids: the ids are there in the image, and newuidmap works in it`, async (t) => {
    const withPrograms = join(place.directory, `subids-${shell}`);
    writeBusyboxTree(withPrograms);
    for (const name of ['newuidmap', 'newgidmap', 'unshare'])
      copyProgram(`/usr/bin/${name}`, withPrograms, `usr/bin/${name}`);
    const range = join(place.directory, 'range');
    writeFileSync(range, `${user.name}:300000:5000\n`);
    const host = `for f in subuid subgid; do [ -e /etc/$f ] || : >/etc/$f; mount --bind ${range} /etc/$f; done`;
    const code = `id -u; cat /etc/issue; grep -c 300000 /proc/self/uid_map; echo "$ODD"; ls /proc/1/root 2>/dev/null; touch file
      map() { /usr/bin/unshare --user --map-root-user --map-auto "$@"; }
      map sh -c 'chown 33:44 file; ls -ln file'; map rm file; exit 6`;
    const words = [place.program, '--map-subids', '--image', withPrograms, 'test.example.org', '--', 'sh', '-c', code];
    const outcome = await place.run(words, { host, shell, env: { ODD: 'two\nlines', 'odd.name': 'x' } });
    t.is(outcome.stderr, '');
    t.regex(outcome.stdout.toString(), new RegExp(`^${user.uid}\na busybox image\n1\ntwo\nlines\n.* 33 +44`));
    t.is(outcome.code, 6);
    t.deepEqual(await place.leftovers(), []);
  });
}

const musl =
  spawnSync('sh', ['-c', 'musl-gcc --version && ls /lib/ld-musl-*']).status === 0 ? test.serial : test.serial.skip;

musl('an image of another libc, with nothing in it but one program (skipped without musl-gcc)', async (t) => {
  const other = join(place.directory, 'musl');
  mkdirSync(join(other, 'bin'), { recursive: true });
  const source = join(place.directory, 'hello.c');
  writeFileSync(source, '#include <stdio.h>\nint main(void) { return puts("hello of musl") < 0; }\n');
  execFileSync('musl-gcc', ['-o', join(other, 'bin/hello'), source]);
  execFileSync('sh', ['-c', 'mkdir "$1"/lib && cp -L /lib/ld-musl-* "$1"/lib', 'sh', other]);
  const { stdout, stderr } = await place.run([place.program, '--image', other, 'test.example.org', '--', 'hello']);
  t.is(stdout.toString(), 'hello of musl\n', stderr);
  const shell = await place.run([place.program, '--image', other, 'test.example.org']);
  t.is(shell.stderr, 'cvmfsexec: the image has no shell and says nothing of a command: name one\n');
});
