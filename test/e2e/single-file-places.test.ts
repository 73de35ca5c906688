// Where the single file unpacks itself, and what may come between. The file is a real one, but for its Node: that is a program
// which prints its words, so that a first start takes a moment only.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { isRoot, user } from '../support/ordinary-user.ts';
import { inPrivatePlaces, type PlacesOptions } from '../support/private-places.ts';
import { Installation } from '../support/run-cvmfsexec.ts';

const place = new Installation();
const file = join(place.directory, 'file');
const asRoot = isRoot ? test : test.skip;

test.before(async () => {
  const node = join(place.directory, 'echo');
  mkdirSync(join(node, 'bin'), { recursive: true });
  copyFileSync('/bin/echo', join(node, 'bin/node'));
  const { exitCode, stderr } = await place.command([place.program, 'makedist', '-o', file, '--node', node], {
    as: { name: 'root', uid: 0, gid: 0, prefix: [] },
  });
  if (exitCode !== 0) throw new Error(stderr);
});
test.after.always(() => place.close());

/** Runs a script in which $F is the file; `start` prints the place that it runs from, and its words. */
function run(script: string, options: Partial<PlacesOptions> = {}) {
  const directory = place.newPath();
  mkdirSync(directory);
  copyFileSync(file, join(directory, 'cvmfsexec'));
  const begin = `F=/mnt/cvmfsexec
    where() { sed 's|^\\(.* \\)*\\(/[^ ]*\\)/[0-9a-f]\\{64\\}/bin/\\.\\./dist/start\\.cjs|\\2:|'; }
    start() { "$F" --version | where; }
    clean() { ls -A "$1" | sed 's/^[0-9a-f]\\{64\\}$/package/' | LC_ALL=C sort; }
  `;
  return inPrivatePlaces(place, begin + script, { directory, ...options });
}

const uid = isRoot ? user.uid : 0;
const HERE = `/var/tmp/cvmfsexec-${uid}`;
const THERE = `/tmp/cvmfsexec-${uid}`;
const SAID = ': cvmfsexec --version\n';

test('it unpacks once, in private, and writes nothing beside itself', async (t) => {
  const { stdout, stderr } = await run(`
    start; cd ${HERE}/*/; find . -type f ! -name .used | xargs stat -c '%n %i %Z' >/mnt/home/1; start
    find . -type f ! -name .used | xargs stat -c '%n %i %Z' | diff - /mnt/home/1; rm /mnt/home/1
    ls -A /mnt /tmp /dev/shm /mnt/home; clean ${HERE}; stat -c %a ${HERE} . bin/cvmfsexec dist/serving.cjs`);
  const elsewhere = '/dev/shm:\n\n/mnt:\ncvmfsexec\nhome\n\n/mnt/home:\n\n/tmp:\n';
  t.is(stdout, `${HERE}${SAID}${HERE}${SAID}${elsewhere}.lock\npackage\n700\n700\n700\n600\n`, stderr);
});

test('it is the program it is called as, or that is asked for, or cvmfsexec', async (t) => {
  const programs = readdirSync(join(place.directory, 'package/bin'));
  const { stdout, stderr } = await run(`
    cd /mnt/home; for name in ${programs.join(' ')} other; do ln -s ../cvmfsexec $name; done
    for name in ${programs.filter((name) => !/sing|mount/.test(name)).join(' ')} other; do ./$name -h | sed 's/.*start.cjs //'; done
    "$F" --as cvmfs_talk -i x | where; "$F" --as=cvmfs_fsck | where; cp ../cvmfsexec cvmfs_config; ./cvmfs_config | where
    ./singcvmfs --help | grep -c SINGCVMFS_IMAGE; "$F" --as nothing 2>&1; echo $?; "$F" --as 2>&1; echo $?`);
  const named = programs.filter((name) => !/sing|mount/.test(name)).map((name) => `${name} -h\n`);
  const others = `${HERE}: cvmfs_talk -i x\n${HERE}: cvmfs_fsck\n${HERE}: cvmfs_config\n`;
  const list = programs.sort().join(', ');
  const refusals = `cvmfsexec: there is no program 'nothing' in this file: ${list}\n125\ncvmfsexec: --as needs the name of a program: ${list}\n125\n`;
  t.is(
    stdout,
    `${named.join('')}cvmfsexec -h\n${others}2\n${refusals}`.replace('\n2\n', /\n(\d)\n/.exec(stdout)?.[0] ?? ''),
    stderr,
  );
});

test('two hundred first starts at once unpack it once', async (t) => {
  const { stdout, stderr } = await run(
    `for i in $(seq 200); do start & done | sort | uniq -c | tr -s ' '; clean ${HERE}; ls -A /tmp`,
  );
  t.is(stdout, ` 200 ${HERE}${SAID}.lock\npackage\n`, stderr);
});

asRoot('many first starts at once on a file system without locks', async (t) => {
  const { stdout, stderr } = await run(
    `for i in $(seq 30); do start & done | sort | uniq -c | tr -s ' '; clean ${HERE}`,
    {
      setup: `printf '#!/bin/sh\\nexit 71\\n' >home/flock; chmod 755 home/flock; mount --bind home/flock /usr/bin/flock`,
    },
  );
  t.is(stdout, ` 30 ${HERE}${SAID}.lock\npackage\n`, stderr);
});

test('killed at any moment of its first start, it starts the next time, and nothing is left', async (t) => {
  const { stdout, stderr } = await run(`
    for t in 1 2 3 4 5 6 8 10 15; do
      setsid "$F" --version >/dev/null 2>&1 & p=$!; sleep $(printf '0.%03d' $((t * 7))); kill -9 -$p 2>/dev/null; wait $p 2>/dev/null
      [ -d ${HERE} ] && clean ${HERE} >>/mnt/home/states; "$F" --version & p=$!; sleep $(printf '0.%03d' $((t * 5))); kill -9 $p 2>/dev/null
      wait $p 2>/dev/null; start; clean ${HERE}; rm -rf ${HERE}
    done 2>/dev/null | grep -v '^[^:]*$' | sort | uniq -c | tr -s ' '; start; clean ${HERE}; grep -c '^.new' /mnt/home/states`);
  const lines = stdout.split('\n');
  t.is(lines[0], ` 9 ${HERE}${SAID}`.trimEnd(), stdout + stderr);
  t.deepEqual(lines.slice(1, 4), [`${HERE}${SAID}`.trimEnd(), '.lock', 'package'], stdout + stderr);
  t.true(Number(lines[4]) > 0, 'none was killed while it unpacked');
});

for (const [what, setup] of [
  ['belongs to somebody else', `mkdir -m 777 ${HERE}`],
  [
    'is a symbolic link',
    `mkdir -m 777 /mnt/home/other; ln -s /mnt/home/other ${HERE}; chown -h ${uid} ${HERE} home/other`,
  ],
  ['is a file', `: >${HERE}; chown ${uid} ${HERE}`],
  ['is where programs cannot be run', 'mount -o remount,noexec /var/tmp'],
  ['is full', 'mount -o remount,size=200k /var/tmp'],
  ['has no inodes left', 'mount -o remount,nr_inodes=4 /var/tmp'],
  ['may be taken away by anybody', 'chmod 777 /var/tmp'],
  ['is read-only', 'mount -o remount,ro /var/tmp'],
] as const) {
  asRoot(`another place is taken where the first ${what}`, async (t) => {
    const { stdout, stderr } = await run('start; start; ls -A /mnt/home/other 2>/dev/null', { setup });
    t.is(stdout, `${THERE}${SAID}`.repeat(2), stderr);
  });
}

asRoot('the order of the places: temporary directories, the job’s, the home, memory', async (t) => {
  const { stdout, stderr } = await run(
    `start; TMPDIR=/dev/shm start; XDG_CACHE_HOME=/mnt/home/cache start; rm -rf /mnt/home/.cache /mnt/home/cache
     env -u HOME "$F" --version | where; CVMFSEXEC_UNPACK_DIR=/mnt/home/a/b start`,
    { setup: 'mount -o remount,noexec /var/tmp; mount -o remount,noexec /tmp' },
  );
  const places = ['/mnt/home/.cache/cvmfsexec', '/mnt/home/.cache/cvmfsexec', '/mnt/home/.cache/cvmfsexec'];
  const others = [`/dev/shm/cvmfsexec-${uid}`, '/mnt/home/a/b'];
  t.is(stdout, [...places, ...others].map((path) => path + SAID).join(''), stderr);
});

asRoot('one line says why there is no place, and what to do', async (t) => {
  const { stdout, stderr, exitCode } = await run('start; "$F" --version; exit $?', {
    setup: `mount -o remount,noexec /var/tmp; mount -o remount,size=100k /tmp; mount -o remount,ro /dev/shm
      mkdir /mnt/home/.cache; : >/mnt/home/.cache/cvmfsexec; chown -R ${uid} /mnt/home`,
  });
  t.is(exitCode, 125);
  t.is(stdout, '');
  const line =
    /^cvmfsexec: cannot unpack this file: \S+: programs cannot be run there \(noexec\); \S+: has less than the needed \d+ MB of room; \S+: is not a directory of yours; \S+: cannot be made \(full, or read-only\)\. Set CVMFSEXEC_UNPACK_DIR to a directory of yours\n/;
  t.regex(stderr, line);
  t.is(stderr.replace(line, '').replace(line, ''), '');
});

test('a file that lost its end, or changed on its way, says so', async (t) => {
  const { stdout } = await run(`
    head -c 700000 "$F" >/mnt/home/cut; chmod 755 /mnt/home/cut; /mnt/home/cut --version 2>&1; echo $?
    cp "$F" /mnt/home/changed; printf x | dd of=/mnt/home/changed bs=1 seek=600000 conv=notrunc 2>/dev/null; /mnt/home/changed 2>&1; echo $?; clean ${HERE}`);
  t.regex(
    stdout,
    /^cut: \S+\/cut is damaged: copy it again\n125\nchanged: \S+ is damaged: copy it again\n125\n\.lock\n$/,
  );
});

test('what a cleaner or a power failure took away comes back', async (t) => {
  const { stdout, stderr } = await run(`
    start; cd ${HERE}/*/; i=$(stat -c %i bin/cvmfsexec); rm -r src bin/cvmfs2; : >dist/start.cjs; start; stat -c %i bin/cvmfsexec | grep -cx $i
    "$F" --as cvmfs2 x | where; test -s dist/start.cjs; echo $?; rm -r bin/* && start; clean ${HERE}`);
  t.is(stdout, `${HERE}${SAID}${HERE}${SAID}1\n${HERE}: cvmfs2 x\n0\n${HERE}${SAID}.lock\npackage\n`, stderr);
});

for (const [what, path, where] of [
  ['directory', '', THERE],
  ['file', '/bin/cvmfsexec', HERE],
]) {
  asRoot(`a ${what} that somebody else put there is not run`, async (t) => {
    const { stdout, stderr } = await run('start; start', {
      setup: `v=$(sed -n "s/^cx_version='\\([0-9a-f]*\\)'.*/\\1/p" cvmfsexec); mkdir -m 700 -p ${HERE}/$v/bin
        printf '#!/bin/sh\necho evil\n' >${HERE}/$v/bin/cvmfsexec; chmod -R 777 ${HERE}/$v
        chown -R ${uid} ${HERE}; chown -R 0 ${HERE}/$v${path}`,
    });
    t.is(stdout, `${where}${SAID}`.repeat(2), stderr);
  });
}

test('old versions go, but not those in use or started lately', async (t) => {
  const { stdout, stderr } = await run(`
    mkdir -m 700 ${HERE}; cd ${HERE}
    for v in aa bb cc; do mkdir -p $v/node/lib; touch -d '40 days ago' $v/.used; done; touch cc/.used; mkdir keep; touch -d '40 days ago' keep/.used
    cp "$(command -v sleep)" bb/node/lib/ld-linux-x86-64.so.2; cp bb/node/lib/* bb/node/lib/ld-linux-aarch64.so.1
    bb/node/lib/ld-linux-$(uname -m | tr _ -).so.* 100 & p=$!; sleep 0.1; start; kill $p; clean .`);
  t.is(stdout, `${HERE}${SAID}.lock\nbb\ncc\nkeep\npackage\n`, stderr);
});

test('by each shell, from anywhere, with any mask, and with nothing in the environment', async (t) => {
  const { stdout, stderr } = await run(`
    for shell in dash bash 'bash --posix' 'busybox ash'; do $shell "$F" --version | where; rm -rf ${HERE}; done
    cd /mnt/home; mkdir 'a b'; cp "$F" 'a b/c d'; 'a b/c d' --version | where; rm -rf ${HERE}; cd 'a b'; ./'c d' --version | where; rm -rf ${HERE}
    cp "$F" cvmfsexec; PATH="$PWD:$PATH" cvmfsexec --version | where; rm -rf ${HERE}; (umask 777; start); rm -rf ${HERE}; (umask 000; start); rm -rf ${HERE}
    env -i "$F" --version | where; rm -rf ${HERE}; printf 'all of it' | { start; cat; echo; }`);
  t.is(stdout, `${`${HERE}${SAID}`.repeat(11)}all of it\n`, stderr);
});

test('settings that are meant for other programs', async (t) => {
  const { stdout, stderr } = await run(
    `export LD_PRELOAD=/nonexistent.so LD_LIBRARY_PATH=/mnt/home/lib GZIP=-k TAR_OPTIONS=--nonsense POSIXLY_CORRECT=1 CDPATH=/ ENV=/dev/full IFS=/
     mkdir -p /mnt/home/lib; : >/mnt/home/lib/libacl.so.1; : >/mnt/home/lib/libz.so.1; "$F" --version`,
    { env: {} },
  );
  t.regex(stdout, /^\S+\/dist\/start.cjs cvmfsexec --version\n$/, stderr);
});

test('a file for another kind of processor says so', async (t) => {
  const { stdout } = await run(
    `sed "s/^cx_machine='[a-z0-9_]*'/cx_machine='riscv64'/" "$F" >/mnt/home/x; chmod 755 /mnt/home/x; /mnt/home/x 2>&1; echo $?`,
  );
  t.regex(stdout, /^x: this file is for riscv64, this machine is \w+\n125\n$/);
});
