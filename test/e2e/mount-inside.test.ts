// Repositories that a job mounts and unmounts from inside: $CVMFSMOUNT, $CVMFSUMOUNT, $CVMFSEXEC_CMDFD, -N.
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Servers } from '../../soak/servers.ts';
import { writeBusyboxTree } from '../support/image-hub.ts';
import { identities, type Launch } from '../support/run-cvmfsexec.ts';
import { prepareSiteOfSeveral } from '../support/site.ts';

const NAMES = ['one.example.org', 'two.example.org', 'three.example.org', 'four.example.org', 'five.example.org'];

const site = prepareSiteOfSeveral(test, [...NAMES, 'six.example.org', 'seven.example.org'], (tree, fqrn) => {
  writeFileSync(join(tree, 'name'), `this is ${fqrn}\n`);
});
const { place } = site;

function job(script: string, more: Partial<Launch> = {}): Launch {
  return {
    repositories: ['one.example.org'],
    command: ['sh', '-c', script],
    ...more,
    parameters: {
      SERVER_URL: `${site.server.url}/@fqrn@`,
      KEYS_DIR: site.repositories.clientKeys,
      DEFAULT_DOMAIN: 'example.org',
      BACKOFF_INIT: '0',
    },
  };
}

for (const as of identities) {
  test.serial(`a job mounts a repository from inside, and unmounts it again (${as.name})`, async (t) => {
    const script = `
      "$CVMFSMOUNT" two.example.org && cat /cvmfs/two.example.org/name && ls /cvmfs
      grep -c ' /cvmfs/two.example.org .* fuse cvmfs2 ' /proc/self/mountinfo
      "$CVMFSMOUNT" two.example.org && echo again
      "$CVMFSMOUNT" three && cat /cvmfs/three.example.org/name
      "$CVMFSUMOUNT" two.example.org && ls /cvmfs
      "$CVMFSUMOUNT" one.example.org && "$CVMFSUMOUNT" three && ls /cvmfs; echo "empty: $?"
      "$CVMFSMOUNT" one && cat /cvmfs/one.example.org/name`;
    const { exitCode, stdout, stderr } = await place.run(job(script, { as }));
    t.is(stderr, '');
    t.deepEqual(stdout.trimEnd().split('\n'), [
      'this is two.example.org',
      'one.example.org',
      'two.example.org',
      '1',
      'again',
      'this is three.example.org',
      'one.example.org',
      'three.example.org',
      'empty: 0',
      'this is one.example.org',
    ]);
    t.is(exitCode, 0);
  });
}

test.serial('what cannot be mounted or unmounted is said in one line, with status 1', async (t) => {
  const script = `
    "$CVMFSMOUNT" nosuch.example.org 2>&1; echo $?
    "$CVMFSMOUNT" 'a b' 2>&1; echo $?
    "$CVMFSMOUNT" 2>&1; echo $?
    "$CVMFSUMOUNT" two.example.org 2>&1; echo $?
    cd /cvmfs/one.example.org; "$CVMFSUMOUNT" one.example.org 2>&1; echo $?
    "$CVMFSUMOUNT" -z one.example.org; echo $?; cat name; ls /cvmfs
    ls -A /cvmfs`;
  const { stdout } = await place.run(job(script));
  t.regex(
    stdout,
    new RegExp(
      [
        '^cvmfsexec: cannot mount nosuch\\.example\\.org: [^\\n]+\\n1',
        'cvmfsexec: cannot mount a b: this is not a repository name\\n1',
        'usage: \\$CVMFSMOUNT REPOSITORY\\n2',
        'cvmfsexec: cannot unmount two\\.example\\.org: it is not mounted in this job\\n1',
        'cvmfsexec: cannot unmount /cvmfs/one\\.example\\.org: target is busy[^\\n]*\\n1',
        '0',
        'this is one\\.example\\.org\\n$',
      ].join('\\n'),
    ),
  );
});

test.serial('twenty processes mount four repositories at once', async (t) => {
  const script = `
    for i in 1 2 3 4 5; do
      for r in two three four five; do
        { "$CVMFSMOUNT" $r.example.org && cat /cvmfs/$r.example.org/name; } &
      done
    done
    wait
    grep -c ' /cvmfs/.* fuse cvmfs2 ' /proc/self/mountinfo`;
  const { stdout, stderr } = await place.run(job(script));
  t.is(stderr, '');
  const lines = stdout.trimEnd().split('\n');
  t.is(lines.pop(), '5');
  t.deepEqual(
    lines.sort(),
    NAMES.slice(1)
      .flatMap((name) => Array.from({ length: 5 }, () => `this is ${name}`))
      .sort(),
  );
});

test.serial('the command has one descriptor more, a pipe; without it nothing can be asked for', async (t) => {
  const list = 'for f in /proc/$$/fd/*; do echo $(basename $f) $(readlink $f | cut -d: -f1); done';
  const inside = await place.run(job(`${list}; echo "$CVMFSEXEC_CMDFD"`));
  t.regex(inside.stdout, /\n8 pipe\n(10 [^\n]*\n)?8\n$/);
  const close = 'eval "exec $CVMFSEXEC_CMDFD>&-"; "$CVMFSMOUNT" two.example.org';
  const closed = await place.run(job(close));
  t.is(closed.exitCode, 1);
  t.regex(closed.stderr, /^cvmfsexec: cannot mount two\.example\.org: descriptor 8 [^\n]* is closed here[^\n]*\n$/);
  const other = await place.run(job('exec 8>written; "$CVMFSMOUNT" two.example.org; cat written; rm written'));
  t.regex(other.stderr, /^cvmfsexec: cannot mount [^\n]* used for something else\n$/);
  t.is(other.stdout, '');
});

test.serial('a request is answered at the first asking, also on a busy machine', async (t) => {
  const bin = mkdtempSync(join(place.directory, 'bin-'));
  // Asking again comes only when the test is over.
  writeFileSync(join(bin, 'sleep'), '#!/bin/sh\nexec /bin/sleep 100\n', { mode: 0o755 });
  chmodSync(bin, 0o755);
  const script = `
    PATH=${bin}:$PATH
    busy=
    for i in 1 2 3 4; do while :; do :; done & busy="$busy $!"; done
    for i in $(seq 100); do "$CVMFSUMOUNT" two.example.org; done 2>&1 | sort | uniq -c
    kill $busy`;
  const { stdout } = await place.run(job(script, { limit: 80 }));
  t.is(stdout, '    100 cvmfsexec: cannot unmount two.example.org: it is not mounted in this job\n');
});

test.serial('a repeated request to unmount is done once, and refused when there was nothing to unmount', async (t) => {
  // As request.sh asks, but as if for the second time.
  const script = `
    ask() {
      { sh -c '(echo "unmount $$ $CVMFSEXEC_CMDFD 2 $1 $(readlink /proc/$$/fd/1)" >&$CVMFSEXEC_CMDFD); exec sleep 20' sh "$1" & } | head -n 1
    }
    "$CVMFSMOUNT" three.example.org && "$CVMFSUMOUNT" three.example.org
    for r in one two three; do ask $r.example.org; done; ls /cvmfs`;
  const { stdout } = await place.run(job(script));
  t.is(stdout, '0\n1 cannot unmount two.example.org: it is not mounted in this job\n0\n');
});

test.serial('an answer goes to nobody whose process id outside is that of the asker in a container', async (t) => {
  const ask = join(place.scratch, 'ask');
  // As request.sh asks.
  writeFileSync(
    ask,
    '[ $$ = $1 ] && echo same; (echo "mount $$ $CVMFSEXEC_CMDFD 1 two.example.org $(readlink /proc/$$/fd/1)" >&$CVMFSEXEC_CMDFD); sleep 2',
  );
  const outside = join(place.scratch, 'outside');
  const script = `
    { sh -c 'echo $$ >${outside}; sleep 3; :' & } | sed s/^/outside:/ &
    until read pid <${outside}; do sleep 0.05; done
    unshare --user --map-root-user --pid --fork --mount-proc sh -c '
      echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid; sh ${ask} $1 | sed s/^/inside:/' sh $pid
    wait`;
  const { stdout, stderr } = await place.run(job(script));
  t.is(stdout, 'inside:same\ninside:0\n', stderr);
});

test.serial('-N: no variables, no descriptor', async (t) => {
  const script = 'env | grep CVMFS[EMU]; for n in 3 4 5 6 7 8 9; do [ -h /proc/$$/fd/$n ] && echo $n; done; ls /cvmfs';
  const env = { CVMFSMOUNT: 'x', CVMFSUMOUNT: 'x', CVMFSEXEC_CMDFD: '5' };
  const { stdout } = await place.run(job(script, { options: ['-N'], env }));
  t.is(stdout, 'one.example.org\n');
});

test.serial('the server is killed: what was mounted from inside lives on, and more can be mounted', async (t) => {
  const script = `
    $CVMFSMOUNT two.example.org; $CVMFSMOUNT three.example.org; $CVMFSUMOUNT three.example.org
    cd /cvmfs/two.example.org
    echo up; read line
    cat name /cvmfs/one.example.org/name
    $CVMFSMOUNT three.example.org && cat /cvmfs/three.example.org/name; ls /cvmfs`;
  const running = place.start(job(script));
  const up = new Promise<void>((resolve) => running.stdout!.once('data', () => resolve()));
  const pid = await new Servers(place.directory).serving();
  await up;
  process.kill(pid, 'SIGKILL');
  running.stdin!.end('on\n');
  const { stdout, stderr } = await running;
  t.regex(String(stderr), /^cvmfsexec: the file system server ended \(signal 9\); a new one takes over\n$/);
  t.is(
    stdout,
    `up\nthis is two.example.org\nthis is one.example.org\nthis is three.example.org\n${'one two three'
      .split(' ')
      .map((name) => `${name}.example.org\n`)
      .sort()
      .join('')}`,
  );
});

test.serial('the server is killed at any moment of a request: it is done all the same', async (t) => {
  const servers = new Servers(place.directory);
  for (const delay of [0, 10, 30]) {
    const script = 'read line; $CVMFSMOUNT two.example.org && cat /cvmfs/two.example.org/name';
    const running = place.start(job(script));
    const pid = await servers.serving();
    running.stdin!.end('on\n');
    await new Promise((resolve) => setTimeout(resolve, delay));
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // the job was over
    }
    const { stdout, stderr, exitCode } = await running;
    t.is(stdout, 'this is two.example.org\n', `after ${delay} ms: ${stderr}`);
    t.is(exitCode, 0);
  }
});

/** A launch that names no repository. */
function imageJob(script: string): Launch {
  const image = join(place.directory, 'image');
  if (!existsSync(image)) writeBusyboxTree(image);
  return { ...job(script), repositories: [], options: ['--image', image] };
}

test.serial('a job without any repository: its first requests, many at once, start the server', async (t) => {
  const script = `
    for name in one two three four five six seven; do "$CVMFSMOUNT" $name & pids="$pids $!"; done
    for pid in $pids; do wait $pid || echo "failed: $?"; done
    cat /cvmfs/*/name; "$CVMFSUMOUNT" one && ls /cvmfs | wc -l`;
  const { stdout, stderr, exitCode } = await place.run(imageJob(script));
  const all = [...NAMES, 'six.example.org', 'seven.example.org'].sort();
  t.deepEqual([stderr, stdout], ['', `${all.map((name) => `this is ${name}\n`).join('')}6\n`]);
  t.is(exitCode, 0);
});

test.serial('the server is killed at any moment of the first request: it is done all the same', async (t) => {
  const servers = new Servers(place.directory);
  const script = 'read line; $CVMFSMOUNT two.example.org && cat /cvmfs/two.example.org/name';
  for (const delay of [0, 30, 60, 120, 200]) {
    const running = place.start(imageJob(`echo up; ${script}`));
    await new Promise<void>((resolve) => running.stdout!.once('data', () => resolve()));
    t.deepEqual(servers.running, []);
    running.stdin!.end('on\n');
    const pid = await servers.next();
    await new Promise((resolve) => setTimeout(resolve, delay));
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // the job was over
    }
    const { stdout, stderr, exitCode } = await running;
    t.is(stdout, 'up\nthis is two.example.org\n', `after ${delay} ms: ${stderr}`);
    t.is(exitCode, 0);
  }
});
