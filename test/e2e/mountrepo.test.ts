// mountrepo and umountrepo: mounts of an ordinary user outside of namespaces, by fusermount.
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isRoot } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, identities, type Outcome, ordinaryUser } from '../support/run-cvmfsexec.ts';

let repository: TestRepository;
const place = new Installation();
const bin = join(place.directory, 'package/bin');

test.before(async () => {
  repository = await makeTestRepository();
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

interface Run {
  readonly as?: (typeof identities)[number];
  readonly wrapper?: readonly string[];
}

/** Runs a script in which $R is the repository, $M where it is to be, $U the directory above. Nothing stays mounted. */
async function script(
  t: ExecutionContext,
  code: string,
  { as = ordinaryUser, wrapper = [] }: Run = {},
): Promise<Outcome> {
  const under = place.newPath();
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    CVMFSEXEC_MOUNTS: under,
    CVMFS_SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
    CVMFS_KEYS_DIR: repository.clientKeys,
    CVMFS_HTTP_PROXY: 'DIRECT',
    CVMFS_CACHE_BASE: place.newPath(),
    R: repository.fqrn,
    U: under,
    M: `${under}/${repository.fqrn}`,
  };
  // Who runs the tests may be in a directory of no use to the user; processes are found by whom they serve, and where.
  const server =
    'server() { for p in $(pgrep -f "cvmfs2 $R"); do grep -qz "^CVMFSEXEC_MOUNTS=$U$" /proc/$p/environ && echo $p; done; }\n';
  try {
    return await place.command([...wrapper, 'sh', '-c', server + code], { as, env });
  } finally {
    const { exitCode, stderr } = await place.command([join(bin, 'umountrepo'), '-a', '-z'], { as, env });
    t.is(exitCode, 0, stderr);
    t.false(readFileSync('/proc/mounts', 'utf8').includes(` ${under}/`), 'nothing stays mounted');
  }
}

for (const as of identities) {
  test.serial(`${as.name}: mounts, says where, and unmounts`, async (t) => {
    const { stdout, stderr, exitCode } = await script(
      t,
      `mountrepo $R || exit 1; head -n 1 "$M/README"; grep " $M " /proc/mounts
      mountrepo $R || exit 2; s=$(server); umountrepo $R || exit 3; ls "$U" | wc -l
      for i in $(seq 50); do [ -d /proc/$s/fd ] && ls /proc/$s/fd >/dev/null 2>&1 || exit 0; grep -q zombie /proc/$s/status && exit 0; sleep 0.1; done; exit 4`,
      { as },
    );
    t.is(exitCode, 0, stderr);
    const [where, readme, mount, again, left] = stdout.split('\n');
    t.true(where.endsWith(`/${repository.fqrn}`));
    t.is(readme, 'A sample.');
    t.regex(mount, new RegExp(`^cvmfs2 ${where} fuse ro,nosuid,nodev`));
    t.is(again, where, 'mounted already: left alone');
    t.is(left, '0', 'the mount point is gone');
    t.is(stderr, '');
  });
}

/** What a host without the programs looks like. */
function without(...programs: string[]): string[] {
  const hide = `for f in ${programs.join(' ')}; do [ ! -e "$f" ] || mount --bind /dev/null "$(readlink -f "$f")" || exit; done; exec "$@"`;
  return ['unshare', '-m', '--propagation', 'slave', 'sh', '-c', hide, 'sh', ...ordinaryUser.prefix];
}
const root = { name: 'root' as const, uid: 0, gid: 0, prefix: [] };
const PYTHONS = ['/usr/bin/python3*', '/usr/local/bin/python3*', '/usr/libexec/platform-python'];
const PERLS = ['/usr/bin/perl*', '/usr/local/bin/perl*'];

const hostWithout = isRoot ? test.serial : test.serial.skip; // only root can hide programs
hostWithout('a host without Python: perl receives the descriptor', async (t) => {
  const { stdout, stderr } = await script(
    t,
    'command -v python3; mountrepo $R && head -n 1 "$M/README"; kill $(server); sleep 0.3; grep " $M " /proc/mounts',
    { as: root, wrapper: without(...PYTHONS) },
  );
  t.regex(stdout, /^\S+\nA sample\.\n$/, stderr);
});

const optional = [
  'fuse-native',
  'fuse-shared-library',
  'fuse-shared-library-linux',
  'nanoresource',
  'inherits',
  'node-gyp-build',
];
const modules = join(import.meta.dirname, '../../node_modules');
hostWithout(
  'a host without Python and Perl: fuse-native receives it; without that it says what to install',
  async (t) => {
    const wrapper = without(...PYTHONS, ...PERLS);
    const missing = await script(t, 'mountrepo $R; echo $?; ls "$U"', { as: root, wrapper });
    t.is(missing.stdout, '4\n');
    t.regex(missing.stderr, /^cvmfs2: fusermount passes .* install python3 or perl.*\(4 - failed to mount\)\n$/);

    if (!existsSync(join(modules, 'fuse-native'))) return t.log('not tried: fuse-native is not installed here');
    const installed = join(place.directory, 'package/node_modules');
    for (const name of optional) cpSync(join(modules, name), join(installed, name), { recursive: true });
    const { stdout, stderr } = await script(
      t,
      'mountrepo $R && head -n 1 "$M/README"; find "$M" -type f | wc -l; kill $(server); sleep 0.3; grep " $M " /proc/mounts',
      { as: root, wrapper },
    );
    t.regex(stdout, /^\S+\nA sample\.\n[1-9]\d+\n$/, stderr);
    t.is(stderr, '', 'what libfuse says of the option that is meant to fail is not shown');
  },
);

test.serial('a killed server: umountrepo cleans up, mountrepo mounts anew', async (t) => {
  const { stdout, stderr, exitCode } = await script(
    t,
    `mountrepo $R; kill -9 $(server); ls "$M"; umountrepo $R || exit 1; ls "$U" | wc -l
    mountrepo $R; kill -9 $(server); mountrepo $R || exit 2; head -n 1 "$M/README"`,
  );
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /^\S+\n0\n\S+\n\S+\nA sample\.\n$/);
  t.regex(stderr, /not connected|abort/);
});

test.serial('many at once, of the same repository: it is there, and one umountrepo takes all away', async (t) => {
  const { stdout, stderr } = await script(
    t,
    'for i in 1 2 3 4 5; do mountrepo $R & done >/dev/null; wait; head -n 1 "$M/README"; umountrepo $R; echo $?; ls "$U"; grep -c " $M " /proc/mounts',
  );
  t.is(stdout, 'A sample.\n0\n0\n', stderr);
});

test.serial('what is in use is only unmounted lazily', async (t) => {
  const { stdout, stderr } = await script(
    t,
    'mountrepo $R; cd "$M"; umountrepo -a; echo $?; umountrepo -a -z; echo $?; head -n 1 README; cd /; grep " $M " /proc/mounts',
  );
  t.regex(stdout, /^\S+\n125\n0\nA sample\.\n$/);
  t.regex(
    stderr,
    /^umountrepo: cannot unmount .*busy.*: end the programs that use it, or unmount it lazily with -z\n$/,
  );
});

test.serial('one that cannot be mounted has the exit code of cvmfs2, and the others are mounted', async (t) => {
  const { stdout, stderr } = await script(
    t,
    'mountrepo none.example.org $R; echo $?; ls "$U"; umountrepo none.example.org; echo $?; umountrepo; echo $?; mountrepo a/b; echo $?',
  );
  t.is(stdout, `${/^\S+/.exec(stdout)}\n16\n${repository.fqrn}\n125\n125\n125\n`, stderr);
  t.regex(stderr, /^mountrepo: 'a\/b' is not a repository name: .*; see 'mountrepo --help'$/m);
  t.regex(stderr, /^cvmfs2: cannot mount none\.example\.org: .*\(16 - [a-z ]+\)$/m);
  t.regex(stderr, /^umountrepo: nothing is mounted on .*none\.example\.org$/m);
  t.regex(stderr, /^umountrepo: name repositories, or give -a/m);
});

test.serial('configuration: -o with commas, --config, --under', async (t) => {
  const { stdout, stderr, exitCode } = await script(
    t,
    `mkdir -p "$U/conf" && echo 'CVMFS_MAGIC_XATTRS_VISIBILITY=always' >"$U/conf/default.local" && mkdir "$U/a b"
    cd "$U" && mountrepo -o 'CVMFS_SERVER_URL=file:///none/a,debug;'$CVMFS_SERVER_URL --config conf --under 'a b' $R || exit 1
    for i in $(seq 50); do cvmfs_talk -i $R pid >"$U/pid" && break; sleep 0.1; done 2>/dev/null
    cvmfs_talk -i $R parameters | grep -E 'SERVER_URL|VISIBILITY' | sed 's/  *#.*//'; umountrepo --under 'a b' $R`,
  );
  t.is(exitCode, 0, stderr);
  t.regex(
    stdout,
    /a b\/sample\.example\.org\n.*VISIBILITY=always\n.*SERVER_URL='file:\/\/\/none\/a,debug;file:/s,
    stderr,
  );
});

test.serial('inside of a job the job is asked, for mounts under /cvmfs', async (t) => {
  const { stdout, stderr, exitCode } = await script(
    t,
    `cvmfsexec $R -- sh -c 'umountrepo $R && ls /cvmfs | wc -l; mountrepo $R && head -n 1 /cvmfs/$R/README
      mountrepo --under /tmp $R; echo $?; umountrepo -a; echo $?; mountrepo none.example.org $R; echo $?; ls "$U"'`,
  );
  t.is(stdout, '0\nA sample.\n125\n125\n1\n', stderr);
  t.is(exitCode, 2, 'nothing was mounted outside');
  t.regex(stderr, /^mountrepo: inside of a job there are no options/m);
});
