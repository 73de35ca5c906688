// /cvmfs with and without one on the host; hosts that lack something; jobs of real root.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { outcome, shells, until, Workplace } from '../launcher/job.ts';
import { isRoot, user } from '../support/ordinary-user.ts';

const place = new Workplace();
test.after.always(() => place.close());

/** Only root can change what a job takes for the host. */
const asHost = isRoot ? test.serial : test.serial.skip;

/** A root directory with odd entries and no /cvmfs (or one): the host's entries bound into a tmpfs that becomes the root. */
const otherRoot = (more: string) => `
  mount --make-rprivate /
  mkdir -p /mnt/r; mount -t tmpfs tmpfs /mnt/r; cd /mnt/r
  for e in /*; do
    case $e in /cvmfs | /mnt | /old) continue ;; esac
    if [ -h "$e" ]; then cp -P "$e" .; elif [ -d "$e" ]; then mkdir ".$e"; mount --rbind "$e" ".$e"; fi
  done
  ${more}
  mkdir old; pivot_root . old; umount -l /old; rmdir /old; cd "$OLDPWD"
`;
/** Directory with programs that stand before the system's: an older util-linux, coreutils, … */
function shims(programs: Record<string, string>): string {
  const directory = mkdtempSync(join(place.directory, 'shims-'));
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/bash\n${code}\n`, { mode: 0o755 });
  }
  chmodSync(directory, 0o755);
  return `${directory}:${process.env.PATH}`;
}

/** Refuses the given options as a program does that does not know them. */
const without = (program: string, options: string) =>
  `for o; do case $o in ${options}) echo "unrecognized option '$o'" >&2; exit 1 ;; --) break ;; esac; done; exec ${program} "$@"`;

for (const shell of shells) {
  asHost(`${shell}: a host without /cvmfs and with odd entries in its root`, async (t) => {
    const host = otherRoot(`mkdir "with blank" "tab	quote'" .hidden; echo in >"with blank/file"; echo plain >"a file"
      mkdir 'back\\slash'; ln -s "with blank" link; ln -s /nowhere dangling; mkfifo pipe; mkdir -m 700 closed
      mkdir '*'; mkdir mounted; mount -t tmpfs tmpfs mounted; touch mounted/below`);
    const show = `(cd /; printf "%s\\n" .[!.]* *); cat "/with blank/file" "/a file" /link/file; readlink /link; readlink /dangling
      ls /mounted; ls -d /back*; cat /cvmfs/test.example.org/hello; pwd -P; touch /new /cvmfs/new`;
    const { stdout, stderr, code } = await place.job(['sh', '-c', show], { shell, host });
    const lines = stdout.toString().split('\n');
    for (const name of [
      'with blank',
      "tab\tquote'",
      '.hidden',
      'a file',
      'back\\slash',
      'link',
      'dangling',
      'closed',
      '*',
    ]) {
      t.true(lines.includes(name), `${name}: ${stdout}${stderr}`);
    }
    t.true(stdout.toString().includes('in\nplain\nin\nwith blank\n/nowhere\nbelow\n/back\\slash\ntest.example.org\n'));
    t.true(lines.includes(place.scratch));
    t.regex(stderr, /\/new\b.*Permission denied[\s\S]*cvmfs\/new\b.*Permission denied/);
    t.is(code, 1);
    t.deepEqual(await place.leftovers(), []);
  });

  asHost(`${shell}: a host with an empty /cvmfs`, async (t) => {
    const host = otherRoot('mkdir cvmfs');
    const { stdout, stderr } = await place.job(['sh', '-c', 'ls /cvmfs; cat /cvmfs/*/hello; pwd -P'], { shell, host });
    t.is(stdout.toString(), `test.example.org\ntest.example.org\n${place.scratch}\n`, stderr);
  });

  asHost(`${shell}: repositories that the host has mounted stay, but for those asked for`, async (t) => {
    const host = `${otherRoot('mkdir -p cvmfs/host.example.org cvmfs/test.example.org cvmfs/not-mounted')}
      mount -t tmpfs tmpfs /cvmfs/host.example.org; echo host >/cvmfs/host.example.org/hello
      mount -t tmpfs tmpfs /cvmfs/test.example.org; echo host >/cvmfs/test.example.org/other`;
    const { stdout, stderr } = await place.job(['sh', '-c', 'ls /cvmfs /cvmfs/*; cat /cvmfs/*/hello'], { shell, host });
    t.is(
      stdout.toString(),
      '/cvmfs:\nhost.example.org\ntest.example.org\n\n/cvmfs/host.example.org:\nhello\n\n' +
        '/cvmfs/test.example.org:\nhello\nhost\ntest.example.org\n',
      stderr,
    );
  });

  asHost(`${shell}: where /proc is partly covered there is no pid namespace, and nothing is left`, async (t) => {
    const host = 'mount -t tmpfs -o ro tmpfs /proc/acpi 2>/dev/null || mount -t tmpfs -o ro tmpfs /proc/bus';
    const script = 'readlink /proc/self/ns/pid; setsid sleep 1000 & echo $$; cat /cvmfs/*/hello; exit 5';
    const result = await place.job(['bash', '-c', script], { shell, host });
    t.is(result.code, 5, result.stderr);
    t.is(result.stderr, '');
    t.regex(result.stdout.toString(), /^pid:\[\d+\]\n\d{2,}\ntest.example.org\n$/);
    t.deepEqual(await place.leftovers(), []);
    for (const victim of ['monitor', 'keeper', 'init'] as const) {
      const pattern = { monitor: 'bin/cvmfsexec', keeper: 'keeper.sh', init: 'init.sh' }[victim];
      const words = [
        place.program,
        'test.example.org',
        '--',
        'sh',
        '-c',
        'setsid sleep 1000 & echo up; exec sleep 1000',
      ];
      const child = place.spawn(words, { shell, host });
      const ended = outcome(child);
      await until(child, 'up');
      await place.run([
        'pkill',
        '-9',
        '-o',
        '-u',
        String(user.uid),
        '-f',
        `^[^ ]*(sh|node)[ ].*${place.directory}.*${pattern}`,
      ]);
      const { code, signal } = await ended;
      t.true(code === 125 || signal === 'SIGKILL', `${victim}: ${code} ${signal}`);
      t.deepEqual(await place.leftovers(), [], victim);
    }
    const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'echo up; exec sleep 1000'], { shell, host });
    const ended = outcome(child);
    await until(child, 'up');
    child.kill('SIGTERM');
    t.is((await ended).signal, 'SIGTERM');
  });

  test.serial(`${shell}: util-linux 2.32 and coreutils 8.30 (RHEL 8)`, async (t) => {
    const PATH = shims({
      unshare: without('/usr/bin/unshare', '--map-user*|--map-group*|--keep-caps|--map-current-user'),
      setpriv: without('/usr/bin/setpriv', '--pdeathsig'),
      env: without('/usr/bin/env', '--default-signal*'),
    });
    const env = { PATH };
    const script =
      'id -u; id -g; grep -E "^Cap(Eff|Prm)|SigIgn" /proc/self/status; cat /cvmfs/*/hello; tr "\\0" "\\n" </proc/$$/environ | grep ^odd; exit 9';
    const words = ['/usr/bin/env', 'odd.name=1', place.program, 'test.example.org', '--', 'sh', '-c', script];
    const { code, stdout, stderr } = await place.run(words, { shell, env });
    t.is(code, 9, stderr);
    t.is(
      stdout.toString().replace(/0{16}/g, '0'),
      `${user.uid}\n${user.gid}\nSigIgn:\t0\nCapPrm:\t0\nCapEff:\t0\ntest.example.org\nodd.name=1\n`,
      stderr,
    );
    const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'echo up; exec sleep 1000'], { shell, env });
    const ended = outcome(child);
    await until(child, 'up');
    child.kill('SIGKILL');
    await ended;
    t.deepEqual(await place.leftovers(), []);
  });
}

test.serial('util-linux 2.23: no --propagation', async (t) => {
  const PATH = shims({ unshare: without('/usr/bin/unshare', '--propagation|--map-user*|--map-group*|--kill-child') });
  const { code, stdout, stderr } = await place.job(['cat', '/cvmfs/test.example.org/hello'], { env: { PATH } });
  t.is(code, 0, stderr);
  t.is(stdout.toString(), 'test.example.org\n');
});

asHost(
  'a job without a pid namespace that fails early ends no process but its own, where the host mounts /cvmfs',
  async (t) => {
    const host = `${otherRoot('mkdir cvmfs')}\nmount -t tmpfs tmpfs /cvmfs`;
    const script = 'sleep 1000 & PATH=$1 "$0" --host-pids test.example.org -- true; kill $! && echo alive';
    const path = shims({ mount: 'exit 1' });
    const { stdout, stderr } = await place.run(['sh', '-c', script, place.program, path], { host });
    t.is(stdout.toString(), 'alive\n', stderr);
    t.regex(stderr, /cannot mount a tmpfs on \/cvmfs/);
  },
);

asHost('a job starts where /bin/sh is a script', async (t) => {
  const script = join(place.directory, 'sh');
  writeFileSync(script, '#!/bin/bash\nexec /bin/bash --posix "$@"\n', { mode: 0o755 });
  const { stdout, stderr } = await place.job(['cat', '/cvmfs/test.example.org/hello'], {
    host: `mount --bind ${script} /bin/sh`,
  });
  t.is(stdout.toString(), 'test.example.org\n', stderr);
});

asHost('mounts that the host makes later are seen, and ours are not seen there', async (t) => {
  const shared = join(place.directory, 'shared');
  mkdirSync(shared);
  const script = `mount -t tmpfs tmpfs '${shared}'; mount --make-shared '${shared}'; mkdir '${shared}/later'
    setpriv --reuid=${user.uid} --regid=${user.gid} --init-groups '${place.program}' a.b -- \\
      sh -c 'echo up; until [ -e "${shared}/later/file" ]; do sleep 0.05; done; echo seen' | {
      read -r up; mount -t tmpfs tmpfs '${shared}/later'; touch '${shared}/later/file'; cat; }
    umount '${shared}/later' '${shared}'`;
  const { stdout, stderr } = await place.run(['dash', '-c', script], { asRoot: true });
  t.is(stdout.toString(), 'seen\n', stderr);
  rmSync(shared, { recursive: true, force: true });
});

asHost('real root: keeps all rights, and may become somebody else', async (t) => {
  const status = ['grep', '-E', '^(Uid|Gid|Groups|Cap...):', '/proc/self/status'];
  const plain = await place.run(status, { asRoot: true });
  const inside = await place.job(status, { asRoot: true });
  t.is(inside.stdout.toString(), plain.stdout.toString(), inside.stderr);
  const become = ['setpriv', `--reuid=${user.uid}`, '--clear-groups', 'sh', '-c', 'id -u; cat /cvmfs/*/hello'];
  const { stdout, stderr } = await place.job(become, { asRoot: true });
  t.is(stdout.toString(), `${user.uid}\ntest.example.org\n`, stderr);
  t.deepEqual(await place.leftovers(), []);
});

test.serial('supplementary groups keep giving access', async (t) => {
  const { stdout } = await place.job(['grep', '^Groups', '/proc/self/status']);
  t.regex(stdout.toString(), /Groups:\t[\d ]+/);
});

test.serial('what is missing is said in one line that tells what to do, with exit code 125', async (t) => {
  const refuse = (what: string) => `echo "unshare: unshare failed: ${what}" >&2; exit 1`;
  const cases: { env?: NodeJS.ProcessEnv; host?: string; says: RegExp }[] = [
    {
      env: { PATH: shims({ unshare: refuse('Operation not permitted') }) },
      says: /user namespace \(.*not permitted\).*ask/,
    },
    {
      env: { PATH: shims({ unshare: refuse('No space left on device') }) },
      says: /user namespace \(.*No space left.*, or use mountrepo/,
    },
  ];
  if (isRoot) {
    cases.push(
      { host: 'mount --bind /dev/null /dev/fuse', says: /^$/ },
      { host: 'chmod 0600 /dev/fuse; trap "chmod 0666 /dev/fuse" EXIT', says: /^$/ },
    );
    cases.splice(-2);
    const dev = 'mount -t tmpfs tmpfs /mnt; cp -a /dev/null /dev/zero /mnt; mount --move /mnt /dev';
    cases.push(
      { host: dev, says: /no \/dev\/fuse.*module/ },
      {
        host: `mknod -m 600 /mnt/f c 10 229 2>/dev/null || { mount -t tmpfs tmpfs /mnt; mknod -m 600 /mnt/f c 10 229; }; mount --bind /mnt/f /dev/fuse`,
        says: /no access to \/dev\/fuse.*0666/,
      },
      {
        host: 'echo 0 >/tmp/zero.$$; mount --bind /tmp/zero.$$ /proc/sys/user/max_user_namespaces; rm /tmp/zero.$$',
        env: { PATH: shims({ unshare: refuse('No space left on device') }) },
        says: /sysctl user.max_user_namespaces/,
      },
    );
  }
  for (const { says, ...options } of cases) {
    const { code, stderr, stdout } = await place.job(['echo', 'ran'], options);
    t.is(code, 125, `${says}: ${stderr}`);
    t.regex(stderr, /^cvmfsexec: [^\n]+\n$/);
    t.regex(stderr, says);
    t.is(stdout.toString(), '');
  }
});
