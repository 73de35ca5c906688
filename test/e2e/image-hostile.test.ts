// Images that mean harm: what they have at the places to mount upon, devices, setuid programs. Nothing outside may change,
// and what cannot be done is said in a line each.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Outcome, Workplace } from '../launcher/job.ts';
import { writeBusyboxTree } from '../support/image-hub.ts';
import { isRoot, user } from '../support/ordinary-user.ts';

const place = new Workplace();
/** A directory of the user's, which images point at. */
const outside = join(place.directory, 'outside');
test.before(() => {
  mkdirSync(outside);
  chmodSync(outside, 0o777);
});
test.after.always(() => place.close());

const asRoot = isRoot ? test.serial : test.serial.skip;
let images = 0;

/** Empty but for a shell, and what `write` makes. */
function hostileImage(write: (image: string) => void): string {
  const image = join(place.directory, `image-${++images}`);
  writeBusyboxTree(image);
  for (const name of ['dev', 'etc', 'proc', 'sys', 'tmp', 'var']) rmSync(join(image, name), { recursive: true });
  write(image);
  return image;
}

/** By an overlay, and part by part. */
const ENGINES = ['kernel', 'none'];

async function run(image: string, engine: string, code: string, words: readonly string[] = []): Promise<Outcome> {
  const shims = join(place.directory, 'shims');
  mkdirSync(shims, { recursive: true });
  const refuse = '#!/bin/sh\ncase " $* " in *overlay*) exit 32 ;; esac; exec /usr/bin/mount "$@"\n';
  writeFileSync(join(shims, 'mount'), refuse, { mode: 0o755 });
  const env = { HOME: '/nowhere', PATH: engine === 'none' ? `${shims}:${process.env.PATH}` : process.env.PATH };
  const job = [place.program, '--image', image, ...words, 'test.example.org', '--', '/bin/sh', '-c', code];
  return await place.run(job, { env, cwd: '/' });
}

async function nothingOutside(t: ExecutionContext): Promise<void> {
  t.deepEqual(readdirSync(outside), []);
  t.deepEqual(await place.leftovers(), []);
}

for (const engine of ENGINES) {
  const by = engine === 'kernel' ? 'overlay' : 'underlay';

  test.serial(`${by}: an image with nothing but a shell gets all places to mount upon`, async (t) => {
    const { stdout, stderr } = await run(
      hostileImage(() => {}),
      engine,
      'ls -d /proc/self /dev/null /sys/kernel /cvmfs/* /tmp /etc/hosts /etc/passwd',
    );
    t.is(stderr, '');
    t.is(stdout.toString().split('\n').length, 8);
  });

  test.serial(`${by}: links out of the image at all places to mount upon`, async (t) => {
    const image = hostileImage((directory) => {
      const etc = join(directory, 'etc');
      mkdirSync(etc);
      symlinkSync(outside, join(directory, 'proc'));
      symlinkSync(`../../../../../../..${outside}/dev`, join(directory, 'dev'));
      symlinkSync(`${outside}/../outside/new`, join(directory, 'cvmfs'));
      symlinkSync(`${outside}/hosts`, join(etc, 'hosts'));
      symlinkSync('/proc/self/root/etc/hosts', join(etc, 'resolv.conf'));
      symlinkSync('/proc/1/root/etc/passwd', join(etc, 'passwd'));
      symlinkSync('group', join(etc, 'group'));
    });
    const { stdout, stderr } = await run(image, engine, `ls ${outside}; ls ${outside}/new`);
    t.regex(stderr, /nothing is mounted at \/etc\/group of the image: too many symbolic links/);
    t.regex(stderr, /nothing is mounted at \/cvmfs of the image: [^\n]*\/outside\/new does not exist/);
    t.is(stdout.toString(), '');
    await nothingOutside(t);
  });

  test.serial(`${by}: files where directories should be, and the other way round`, async (t) => {
    const image = hostileImage((directory) => {
      for (const name of ['proc', 'dev', 'sys', 'cvmfs', 'tmp', 'var']) writeFileSync(join(directory, name), '');
      mkdirSync(join(directory, 'etc/hosts'), { recursive: true });
      execFileSync('mkfifo', [join(directory, 'etc/passwd')]);
    });
    const { stdout, stderr, code } = await run(image, engine, 'cat /etc/passwd; exit 4');
    t.regex(stdout.toString(), new RegExp(`^${user.name}:`));
    for (const name of ['proc', 'dev', 'sys', 'cvmfs', 'tmp', 'var/tmp', 'etc/hosts']) {
      t.regex(stderr, new RegExp(`^cvmfsexec: nothing is mounted at /${name} of the image: `, 'm'));
    }
    t.is(stderr.trimEnd().split('\n').length, 7, stderr);
    t.is(code, 4);
  });

  test.serial(`${by}: a --bind that the image stands in the way of is refused`, async (t) => {
    const image = hostileImage((directory) => {
      writeFileSync(join(directory, 'file'), '');
      symlinkSync(outside, join(directory, 'away'));
    });
    const { stderr, code } = await run(image, engine, 'true', ['--bind', '/usr:/file/usr']);
    t.regex(
      stderr,
      /^cvmfsexec: --bind \/usr:\/file\/usr: cannot be mounted at [^\n]*: \/file is a file where[^\n]*\n$/,
    );
    t.is(code, 125);
    const away = await run(image, engine, 'ls /away/usr/share | head -1', ['--bind', '/usr:/away/usr']);
    t.regex(away.stderr, /--bind \/usr:\/away\/usr: cannot be mounted at [^\n]*\/outside\/usr does not exist/);
    t.is(away.code, 125);
    await nothingOutside(t);
  });

  asRoot(`${by}: devices and setuid programs of the image give nothing`, async (t) => {
    const image = hostileImage((directory) => {
      for (const [name, major, minor] of [
        ['zero', 1, 5],
        ['disk', 254, 0],
      ] as const) {
        execFileSync('mknod', [
          '-m',
          '666',
          join(directory, name),
          name === 'zero' ? 'c' : 'b',
          String(major),
          String(minor),
        ]);
      }
      copyFileSync(join(directory, 'bin/busybox'), join(directory, 'bin/busybox-setuid'));
      chownSync(join(directory, 'bin/busybox-setuid'), 0, 0);
      chmodSync(join(directory, 'bin/busybox-setuid'), 0o4755);
    });
    const code =
      'head -c 1 /zero; head -c 1 /disk; /bin/busybox-setuid id -u; /bin/busybox-setuid mknod /tmp/x c 1 3; grep CapEff /proc/self/status';
    const { stdout, stderr } = await run(image, engine, code);
    t.is(stdout.toString(), `${user.uid}\nCapEff:\t0000000000000000\n`);
    t.regex(stderr, /\/zero: Permission denied/);
    t.regex(stderr, /\/disk: Permission denied/);
  });
}

test.serial('names of all kinds in the image', async (t) => {
  const names = ['-n', 'two\nlines', '*', "quote'", '\\040', ' ', '"', '$(touch x)'];
  const image = hostileImage((directory) => {
    for (const name of names) mkdirSync(join(directory, name));
    for (const name of names) writeFileSync(join(directory, `file${name}`), name);
    for (const name of names) symlinkSync('bin', join(directory, `link${name}`));
  });
  for (const engine of ENGINES) {
    const { stdout, stderr } = await run(
      image,
      engine,
      'for f in /file*; do cat "$f"; done; [ -x "/link*/sh" ] && printf "%s\\n" /*',
    );
    t.is(stderr, '');
    for (const name of names) t.true(stdout.toString().includes(`/${name}\n`), name);
  }
  await nothingOutside(t);
});

test.serial("an image's shell that cannot be run is said, and so is one that leads nowhere", async (t) => {
  const image = hostileImage((directory) => {
    rmSync(join(directory, 'bin/sh'));
    symlinkSync('sh', join(directory, 'bin/sh'));
  });
  const { stderr, code } = await run(image, 'kernel', 'true');
  t.is(stderr, 'cvmfsexec: /bin/sh: No such file or directory in the image\n');
  t.is(code, 127);
});
