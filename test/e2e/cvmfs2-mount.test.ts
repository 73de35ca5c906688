// cvmfs2 that mounts by itself: in a user namespace, and as root.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { isRoot } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, ordinaryUser } from '../support/run-cvmfsexec.ts';

let repository: TestRepository;
const place = new Installation();
const program = join(place.directory, 'package/bin/cvmfs2');

test.before(async () => {
  repository = await makeTestRepository();
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

/** A configuration file with everything in it; the directory in which tests may make what they need. */
function site(more = ''): { file: string; directory: string } {
  const directory = place.newPath();
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const file = join(directory, 'site.conf');
  writeFileSync(
    file,
    `CVMFS_SERVER_URL='file://${repository.serverRoot}/@fqrn@'
CVMFS_KEYS_DIR=${repository.clientKeys}
CVMFS_HTTP_PROXY=DIRECT
CVMFS_CACHE_BASE=${place.newPath()}
${more}`,
  );
  return { file, directory };
}

/** Runs a script in which $C is the program with its configuration, $R the repository, $M a mount point. */
function script(
  code: string,
  { as = ordinaryUser, more = '', namespace = ['unshare', '-Urm', '-pf', '--mount-proc', '--kill-child'] } = {},
) {
  const { file, directory } = site(more);
  const setup = `C="${program} -o config=${file}"; R=${repository.fqrn}; M="${directory}/m"; mkdir -p "$M"\n`;
  return place.command([...namespace, 'sh', '-c', setup + code], { as });
}

test.serial('returns when the file system answers; one that is unmounted ends', async (t) => {
  const { stdout, stderr, exitCode } = await script(`
    $C $R "$M" || exit 10
    cat "$M/README"; grep " $M " /proc/mounts; cat /proc/mounts >"$M/new" || true
    for i in $(seq 100); do [ "$(pgrep -fc "cvmfs2 $R")" = 1 ] && break; sleep 0.1; done
    p=$(pgrep -f "cvmfs2 $R"); readlink /proc/$p/cwd; ps -o sid= $p | tr -d ' '; echo $p
    umount "$M"; for i in $(seq 100); do [ -d /proc/$p/fd ] && ls /proc/$p/fd >/dev/null 2>&1 || exit 7; grep -q zombie /proc/$p/status && exit 7; sleep 0.1; done`);
  t.is(exitCode, 7, stderr);
  const [said, readme, mount, cwd, session, pid] = stdout.split('\n');
  t.regex(said, /^CernVM-FS: mounted cvmfs on .*\/m$/);
  t.is(readme, readFileSync(join(repository.tree, 'README'), 'utf8').trimEnd());
  t.regex(mount, /^cvmfs2 \S+ fuse ro,nosuid,nodev,.*default_permissions/);
  t.is(cwd, '/');
  t.is(session, pid, 'a session of its own');
  t.regex(stderr, /Read-only file system/);
});

test.serial('in the background nothing of the caller stays open', async (t) => {
  // The command substitution waits for the end of stdout and of descriptor 5.
  const { stdout, stderr } = await script(
    `said=$({ $C $R "$M" 5>&1; } 2>&1); echo "$said"; ls "$M" | head -n 1; umount -l "$M"`,
  );
  t.regex(stdout, /^CernVM-FS: mounted cvmfs on .*\nREADME\n$/, stderr);
});

/** What the shell ignores in its background, the program hears of only when it serves. */
const moments = { TERM: ['0', '0.1', '0.2', '0.4', 'up'], HUP: ['up'], INT: ['up'] };
for (const [signal, when] of Object.entries(moments)) {
  test.serial(`in the foreground: ${signal} ends it at once, whatever it is doing, and unmounts`, async (t) => {
    const { stdout, stderr } = await script(`
      for when in ${when.join(' ')}; do
        rm -f "$M.out"; $C -f $R "$M" >"$M.out" & p=$!
        case $when in
          up) until grep -q mounted "$M.out" 2>/dev/null; do sleep 0.05; done; exec 6<"$M/README" ;;
          *) sleep $when ;;
        esac
        kill -${signal} $p; wait $p; echo $? $when; grep " $M " /proc/mounts; exec 6<&-
      done`);
    const ended = stdout.trim().split('\n');
    t.is(ended.length, when.length, stdout + stderr);
    for (const line of ended) t.regex(line, /^(0|143) /, 'unmounted, or before it was heard');
    t.is(ended.at(-1), '0 up');
  });
}

test.serial('several share one cache, at once', async (t) => {
  const { stdout, stderr } = await script(`
    for i in 1 2 3 4 5 6; do mkdir "$M$i"; $C $R "$M$i" & done; wait
    for i in 1 2 3 4 5 6; do (cd "$M$i" && find . -type f -readable -exec md5sum {} + | sort | md5sum) & done | sort | uniq -c
    wait; umount "$M"?`);
  t.regex(stdout.split('\n').at(-2) ?? '', /^ +6 [0-9a-f]{32} /, stdout + stderr);
});

test.serial('failures have the exit codes of the reference and one line that says why', async (t) => {
  const { stdout, stderr } = await script(`
    try() { "$@" </dev/null; echo $?; }
    try $C $R; try $C $R "$M/none"; try $C -o CVMFS_SERVER_URL=file:///none $R "$M"; try $C -o config=/none $R "$M"
    try $C -o CVMFS_KEYS_DIR=/none $R "$M"; try $C -o CVMFS_PUBLIC_KEY=/none $R "$M"
    try $C -o CVMFS_REPOSITORY_TAG=none $R "$M"; try $C $R /dev/fd/0; try $C $R /dev/fd/9
    try $C $R "$M"; try $C $R "$M"; umount "$M"`);
  t.deepEqual(stdout.match(/^\d+$/gm), ['2', '3', '16', '2', '15', '15', '22', '4', '4', '0', '20'], stderr);
  const lines = stderr.trim().split('\n');
  t.is(lines.length, 10, stderr);
  for (const line of lines) t.regex(line, /^cvmfs2: .* \(\d+ - [a-z ]+\)$/);
});

test.serial('without namespaces an ordinary user mounts by fusermount; TERM unmounts', async (t) => {
  const { stdout, stderr, exitCode } = await script(
    `$C $R "$M" || exit 10
    grep " $M " /proc/mounts; head -n 1 "$M/README"; p=$(pgrep -f "cvmfs2 $R"); kill $p
    for i in $(seq 100); do grep -q " $M " /proc/mounts || exit 0; sleep 0.1; done; exit 11`,
    { namespace: [] },
  );
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /\ncvmfs2 \S+ fuse ro,nosuid,nodev,.*user_id=\d+,.*default_permissions/);
  t.true(stdout.endsWith('A sample.\n'));
});

test.serial('in the foreground, too, and in the same process', async (t) => {
  const { stdout, stderr } = await script(
    `$C -f $R "$M" & p=$!; until grep -q " $M " /proc/mounts; do sleep 0.05; done; head -n 1 "$M/README"
    kill $p; wait $p; echo $?; grep " $M " /proc/mounts`,
    { namespace: [] },
  );
  t.regex(stdout, /A sample\.\n0\n$/, stderr);
});

test.serial('where fusermount may not mount, it says what to do', async (t) => {
  const { stderr, exitCode } = await script('$C $R "$M"', { namespace: ['setpriv', '--no-new-privs'] });
  t.is(exitCode, 4);
  t.regex(stderr, /^cvmfs2: cannot mount .*setuid root \(or use cvmfsexec\) \(4 - failed to mount\)\n$/);
});

test.serial('the parameters are printed as the reference prints them', async (t) => {
  const { stdout, stderr } = await script('$C -k $R /; $C -o parse,CVMFS_X="it\'s; it" $R');
  t.regex(stdout, /^# CernVM-FS parameters:\n/);
  t.true(stdout.includes(`CVMFS_KEYS_DIR=${repository.clientKeys}    # from ${place.scratch}/`), stderr);
  t.true(stdout.includes("CVMFS_X='it\\'s; it'    # from -o\n"), stdout);
});

const asRoot = isRoot ? test.serial : test.serial.skip;
asRoot('root mounts for another user, whose rights it works with', async (t) => {
  const { uid, gid } = ordinaryUser;
  const root = { name: 'root' as const, uid: 0, gid: 0, prefix: [] };
  const { stdout, stderr, exitCode } = await script(
    `$C -o system_mount,allow_other,grab_mountpoint,uid=${uid},gid=${gid},fsname=cvmfs2 $R "$M" || exit
    p=$(pgrep -f "cvmfs2 $R"); grep -E '^(Uid|Gid|Groups):' /proc/$p/status; grep " $M " /proc/mounts
    setpriv --reuid=65534 --clear-groups cat "$M/README"; kill $p
    for i in $(seq 100); do grep -q " $M " /proc/mounts || exit 5; sleep 0.1; done`,
    { as: root, namespace: ['unshare', '-m', '-pf', '--mount-proc', '--kill-child'] },
  );
  t.is(exitCode, 5, stderr);
  t.regex(stdout, new RegExp(`Uid:\\t0\\t${uid}\\t0\\t${uid}\nGid:\\t0\\t${gid}\\t0\\t${gid}\nGroups:\\t *\n`));
  t.regex(stdout, new RegExp(`user_id=${uid},group_id=${gid},default_permissions,allow_other`));
  t.true(stdout.endsWith(readFileSync(join(repository.tree, 'README'), 'utf8')));
});

test('the package has every program that it promises', (t) => {
  const { bin } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  for (const path of Object.values<string>(bin)) t.true(existsSync(join(place.directory, 'package', path)), path);
});
