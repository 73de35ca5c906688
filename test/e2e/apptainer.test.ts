// Real apptainer with cvmfs2 as its --fusemount program, and singcvmfs: every kind of process it starts, with and without
// fakeroot, in an image of this kind of system and in one that has neither our loader nor our libraries.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { apptainerRoot } from '../support/apptainer-root.ts';
import { TestServer } from '../support/http-server.ts';
import { user } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, type Outcome } from '../support/run-cvmfsexec.ts';

const root = apptainerRoot();
const place = new Installation();
let repository: TestRepository;
let server: TestServer;
let setup = '';
/** What a walk through the tree and its contents comes to. */
const WALK = 'find . | wc -l; find . -type f -perm -400 -print0 | LC_ALL=C sort -z | xargs -0 cat | md5sum';
let walked = '';

const APPLETS =
  'cat chmod echo env false find grep head id kill ls md5sum mkdir mount ps seq sh sleep sort test touch true wc xargs';

test.before(async (t) => {
  t.timeout(600_000);
  if ('missing' in root) {
    t.log(`skipped, there is no root directory with apptainer: ${root.missing}`);
    return;
  }
  repository = await makeTestRepository();
  server = await TestServer.start({ root: repository.serverRoot });
  walked = execFileSync('sh', ['-c', WALK], { cwd: repository.tree, encoding: 'utf8' });
  // As it is shipped to run anywhere: with Node's own loader and libraries.
  rmSync(place.node);
  copyFileSync(process.execPath, place.node);
  const libraries = join(place.node, '../../lib');
  mkdirSync(libraries);
  for (const [path] of execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/\/\S+(?= \(0x)/g)) {
    copyFileSync(path, join(libraries, path.slice(path.lastIndexOf('/') + 1)));
    chmodSync(join(libraries, path.slice(path.lastIndexOf('/') + 1)), 0o755);
  }
  const image = join(place.directory, 'busybox');
  for (const directory of ['', 'bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'var', 'var/tmp']) {
    mkdirSync(join(image, directory));
    lchownSync(join(image, directory), user.uid, user.gid);
  }
  copyFileSync(join(root.directory, 'usr/bin/busybox'), join(image, 'bin/busybox'));
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(image, 'bin', applet));
  for (const file of ['passwd', 'group', 'hosts', 'resolv.conf', 'localtime'])
    writeFileSync(join(image, 'etc', file), '');
  const keys = join(place.directory, 'keys');
  mkdirSync(keys);
  copyFileSync(repository.publicKey, join(keys, `${repository.fqrn}.pub`));
  const settings = `CVMFS_SERVER_URL=${server.url}/@fqrn@\nCVMFS_KEYS_DIR=${keys}\nCVMFS_HTTP_PROXY=DIRECT\n`;
  writeFileSync(join(place.directory, 'site.conf'), settings);
  writeFileSync(join(place.directory, 'walk'), WALK);
  setup = `
    P=${place.directory}; C="$P/package/bin/cvmfs2 -o config=$P/site.conf"; R=${repository.fqrn}; M=/cvmfs/$R
    busybox=$P/busybox debian=/mnt/debian
    helpers() { ps -eo comm | grep -c '^cvmfs2 '; }
    gone() { for i in $(seq 100); do [ "$(helpers)" = 0 ] && return; sleep 0.1; done; ps -ef; return 1; }
  `;
});
test.after.always(async () => {
  await place.close();
  await server?.close();
  repository?.remove();
});

/** Runs a script as the ordinary user where apptainer is. Everything there is new, and gone afterwards. */
function inRoot(script: string, env: Record<string, string> = {}): Promise<Outcome> {
  const inside = join(import.meta.dirname, '../support/in-root.sh');
  const directory = 'directory' in root ? root.directory : '';
  return place.command(['sh', inside, directory, user.name, place.directory, 'bash', '-c', setup + script], {
    as: { name: 'root', uid: 0, gid: 0, prefix: [] },
    env,
    limit: 150,
  });
}

const withApptainer = 'missing' in root ? test.skip : test.serial;
const TYPES = ['host', 'host-daemon', 'container', 'container-daemon'];
const IMAGES = ['busybox', 'debian'];

for (const image of IMAGES) {
  for (const type of TYPES) {
    withApptainer(`${type}, ${image} image: all is there and nothing can be changed, plain and fakeroot`, async (t) => {
      const { stdout, stderr } = await inRoot(`
        for mode in '' --fakeroot; do
          apptainer -q exec $mode -B $P --fusemount "${type}:$C $R $M" $${image} sh -c '
            id -u; cd '$M' && sh '$P'/walk; stat -c %u README 2>/dev/null || ls -ldn README
            for change in "touch new" "touch README" "chmod 600 README" "mkdir new" "sh -c :>README"; do
              $change 2>&1 | grep -c "Read-only file system"; done
            test -w README && echo writable; test -x README && echo executable; test -r README && echo readable
            exit 7' 2>&1
          echo "status $?"; gone
        done`);
      const runs = stdout.split('status 7\n');
      t.is(runs.length, 3, stdout + stderr);
      for (const [i, uid] of [user.uid, 0].entries()) {
        const [id, ...lines] = runs[i].split('\n');
        t.is(id, String(uid), runs[i]);
        t.true(lines.join('\n').startsWith(walked), runs[i]);
        const [owner, ...checks] = lines.slice(2);
        t.regex(owner, new RegExp(`^(-\\S+ +1 +)?${uid}\\b`));
        t.deepEqual(
          checks.filter((line) => image === 'debian' || line !== 'writable'), // busybox looks at the mode alone
          ['1', '1', '1', '1', '1', 'readable', ''],
        );
      }
    });
  }
}

withApptainer('an instance: several programs use its mount, which ends when it is stopped', async (t) => {
  const { stdout, stderr } = await inRoot(`
    mkdir -p $P/scratch/i; cp -a $busybox $P/scratch/i/image; cd $P/scratch/i/image
    mkdir -p .singularity.d/actions; printf '#!/bin/sh\nexec sh /.singularity.d/startscript\n' >.singularity.d/actions/start
    printf '#!/bin/sh\nsleep 1000\n' >.singularity.d/startscript; chmod +x .singularity.d/startscript .singularity.d/actions/start; cd
    for type in host container; do
      apptainer -q instance start -B $P --fusemount "$type:$C $R $M" $P/scratch/i/image one || exit
      for i in 1 2 3; do apptainer -q exec instance://one cat $M/README & done; wait
      helpers; apptainer -q instance stop one >/dev/null; gone && echo gone
    done`);
  const content = execFileSync('cat', [join(repository.tree, 'README')], { encoding: 'utf8' });
  t.is(stdout, `${content.repeat(3)}1\ngone\n`.repeat(2), stderr);
});

withApptainer('eight mounts at once, of all kinds, share one cache', async (t) => {
  const { stdout, stderr } = await inRoot(`
    for i in 1 2 3 4 5 6 7 8; do
      set -- "$@" --fusemount "$(echo ${TYPES.join(' ')} | cut -d ' ' -f $((i % 4 + 1))):$C $R /cvmfs/m$i"
    done
    apptainer -q exec -B $P "$@" $busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do (cd /cvmfs/m$i; sh '$P'/walk); done'
    ls -A /var/tmp; gone && echo gone`);
  t.is(stdout, `${walked.repeat(8)}cvmfs-${user.uid}\ngone\n`, stderr);
});

withApptainer("the cache in its default place is found by later containers, fakeroot's too", async (t) => {
  const { stdout, stderr } = await inRoot(`
    run() { apptainer -q exec "$@" $busybox sh -c "cd $M; sh $P/walk"; gone; }
    run -B $P --fusemount "host:$C $R $M"; touch $P/scratch/second
    run -B $P --fakeroot --fusemount "host:$C $R $M"; run -B $P --fusemount "container:$C $R $M"
    run -B $P --fakeroot --fusemount "container:$C $R $M"
    find /var/tmp/cvmfs-* -path '*/[0-9a-f][0-9a-f]/*' -newer $P/scratch/second | wc -l; find /var/tmp/cvmfs-* -name '*.lock' -prune -o -uid +65535 -print`);
  t.is(stdout, `${walked.repeat(4)}0\n`, stderr);
});

withApptainer('a new revision shows in a container that runs', async (t) => {
  const changing = await makeTestRepository({
    fqrn: 'changing.example.org',
    ttl: 1,
    writeTree: (directory) => writeFileSync(join(directory, 'version'), 'one'),
  });
  t.teardown(() => changing.remove());
  const other = await TestServer.start({ root: changing.serverRoot });
  t.teardown(() => other.close());
  const key = join(place.directory, 'changing.pub');
  copyFileSync(changing.publicKey, key);
  const up = join(place.scratch, 'changing');
  const running = inRoot(`
    for type in host container; do
      set -- "$@" --fusemount "$type:$C -o CVMFS_SERVER_URL=${other.url}/@fqrn@ -o CVMFS_PUBLIC_KEY=${key} ${changing.fqrn} /cvmfs/$type"
    done
    apptainer -q exec -B $P "$@" $busybox sh -c '
      cat /cvmfs/host/version /cvmfs/container/version; : >${up}
      for type in host container; do
        for i in $(seq 300); do grep -q two /cvmfs/$type/version && break; sleep 0.1; done; cat /cvmfs/$type/*
      done'`);
  let over = false;
  running.finally(() => {
    over = true;
  });
  while (!existsSync(up) && !over) await sleep(100);
  writeFileSync(join(changing.tree, 'version'), 'two');
  writeFileSync(join(changing.tree, 'wonder'), '!');
  await changing.publish();
  const { stdout, stderr } = await running;
  t.is(stdout, 'oneonetwo!two!', stderr);
});

withApptainer('kill -9 of apptainer, and of its payload, leaves nothing', async (t) => {
  const { stdout, stderr } = await inRoot(`
    for type in ${TYPES.join(' ')}; do
      apptainer -q exec -B $P --fusemount "$type:$C $R $M" $busybox sh -c "cat $M/README >/dev/null; echo up; sleep 1000" >$P/scratch/up & p=$!
      until grep -q up $P/scratch/up; do sleep 0.1; done; helpers; kill -9 $p; wait $p 2>/dev/null; echo $?; gone; rm $P/scratch/up
    done
    apptainer -q exec --fusemount "host:$C $R $M" $busybox sh -c "cat $M/README >/dev/null; kill -9 \\$\\$" 2>/dev/null; echo $?; gone`);
  t.is(stdout, `${'1\n137\n'.repeat(4)}137\n`, stderr);
});

withApptainer('a helper is not ended by what is meant for the job, and at once by TERM', async (t) => {
  const { stdout, stderr } = await inRoot(`
    apptainer -q exec --fusemount "host:$C $R $M" $busybox sh -c "cat $M/README; echo up; sleep 3; cat $M/README; sleep 3; cat $M/README" >$P/scratch/out 2>&1 & p=$!
    until grep -q up $P/scratch/out; do sleep 0.1; done; h=$(pgrep '^cvmfs2 ')
    for s in INT HUP QUIT USR1 TSTP; do kill -$s $h; done; sleep 3.5; kill $h; gone && echo gone; wait $p; cat $P/scratch/out`);
  const content = execFileSync('cat', [join(repository.tree, 'README')], { encoding: 'utf8' });
  t.regex(stdout, new RegExp(`^gone\n${content}up\n${content}cat: .*Transport endpoint is not connected\n$`), stderr);
});

withApptainer('one that cannot serve says why; the runtime goes on or stops, as it does for any program', async (t) => {
  const { stdout, stderr } = await inRoot(`
    for type in host host-daemon; do
      apptainer -q exec --fusemount "$type:$C -o CVMFS_REPOSITORY_TAG=none $R $M" $busybox cat $M/README; echo "status $?"
    done`);
  t.is(stdout, 'status 1\nstatus 255\n', stderr);
  t.is(stderr.match(/^cvmfs2: .*\(\d+ - [a-z ]+\)$/gm)?.length, 2, stderr);
  t.regex(stderr, /README'?: Transport endpoint is not connected/);
  t.regex(stderr, /FATAL: .*could not start program/);
});

withApptainer('where a part of /proc is covered', async (t) => {
  const { stdout, stderr } = await inRoot(
    `for type in host container; do
      apptainer -q exec -B $P --no-mount proc -B /proc --fusemount "$type:$C $R $M" $busybox sh -c "cd $M; sh $P/walk"; done
      apptainer -q exec -B $P --no-mount proc --fusemount "host:$C $R $M" $busybox cat $M/README 2>/dev/null`,
    { IN_ROOT_MASKED: '1' },
  );
  const content = execFileSync('cat', [join(repository.tree, 'README')], { encoding: 'utf8' });
  t.is(stdout, walked.repeat(2) + content, stderr);
});

withApptainer('apptainer inside of cvmfsexec', async (t) => {
  const { stdout, stderr } = await inRoot(`
    $P/package/bin/cvmfsexec -o CVMFS_SERVER_URL=${server.url}/@fqrn@ -o CVMFS_KEYS_DIR=$P/keys -o CVMFS_HTTP_PROXY=DIRECT $R -- \\
      sh -c "apptainer -q exec -B $P -B /cvmfs $busybox sh -c 'id -u; cd $M; sh $P/walk'; apptainer -q exec -B $P \\
        --fusemount \\"host:$C $R /mnt/again\\" $busybox sh -c 'cd /mnt/again; sh $P/walk; exit 3'"; echo $?; gone`);
  t.is(stdout, `${user.uid}\n${walked}${walked}3\n`, stderr);
});

withApptainer('singcvmfs: commands of apptainer, commands in an image, instances, caches and logs', async (t) => {
  const { stdout, stderr } = await inRoot(`
    S=$P/package/bin/singcvmfs L=$P/scratch/s; mkdir $L
    export SINGCVMFS_REPOSITORIES=$R SINGCVMFS_OPTSFILE=$P/site.conf SINGCVMFS_CACHEDIR=$L/cache
    $S -q exec $busybox sh -c "cd $M; find . | wc -l; exit 4"; echo $?
    mkdir -p $L/image; cp -a $busybox/. $L/image; mkdir $L/image/.singularity.d
    printf '#!/bin/sh\necho "run: $*"; exec "$@"\n' >$L/image/.singularity.d/runscript; chmod +x $L/image/.singularity.d/runscript
    SINGCVMFS_IMAGE=$L/image $S -q cat "$M/README"; (cd $L; SINGCVMFS_LOGDIR=logs SINGCVMFS_SINGOPTS='--env A=b -e' $S -q run image sh -c 'echo $A; cat /cvmfs/*/README')
    SINGCVMFS_FUSETYPE=container $S -q exec $busybox cat $M/README; ls $L $L/logs; $S instance list | head -n 1; $S version
    SINGCVMFS_REPOSITORIES= $S exec $busybox true; echo $?; SINGCVMFS_REPOSITORIES='a b' $S exec $busybox true; echo $?; $S nonsense; echo $?
    $S -V; gone`);
  const content = execFileSync('cat', [join(repository.tree, 'README')], { encoding: 'utf8' });
  const [count] = walked.split('\n');
  const text = [
    `${count}\n4\n`,
    `run: cat /cvmfs/${repository.fqrn}/README\n${content}`,
    `run: sh -c echo $A; cat /cvmfs/*/README\nb\n${content}${content}`,
  ];
  t.true(stdout.startsWith(text.join('')), stdout + stderr);
  t.regex(stdout, /\ncache\nimage\nlogs\n/);
  t.regex(stdout, new RegExp(`\n${repository.fqrn}.log\n`));
  t.regex(stdout, /INSTANCE NAME.*\n1\.\d.*\n125\n125\n125\n\d+\.\d+\.\d+\n$/);
  t.is(stderr.match(/^singcvmfs: /gm)?.length, 3, stderr);
});

withApptainer(
  'singcvmfs: the cache in an ext3 image, a log of every request, options of the runtime with values',
  async (t) => {
    const image = join(place.scratch, 'cache.ext3');
    const content = join(place.scratch, 'cache.content');
    mkdirSync(join(content, 'below/shared'), { recursive: true });
    const make = `truncate -s 64M ${image}; PATH=$PATH:/usr/sbin:/sbin
    chown -R ${user.uid}:${user.gid} ${content}; mkfs.ext3 -q -F -O ^has_journal -d ${content} ${image}; chown ${user.uid} ${image}`;
    execFileSync('sh', ['-c', make]);
    const { stdout, stderr } = await inRoot(`
    S=$P/package/bin/singcvmfs L=$P/scratch/i; mkdir $L; touch $L/apptainer.conf
    export SINGCVMFS_REPOSITORIES=$R SINGCVMFS_OPTSFILE=$P/site.conf SINGCVMFS_CACHEIMAGE=${image} SINGCVMFS_CACHEDIR=/below
    $S -q exec $busybox sh -c "cat $M/README; ls /var/lib/cvmfs/shared | wc -l"; echo $?
    unset SINGCVMFS_CACHEIMAGE; SINGCVMFS_CACHEDIR=$L/cache SINGCVMFS_LOGDIR=$L SINGCVMFS_LOGLEVEL=debug $S -q exec $busybox cat $M/README
    grep -c LOOKUP $L/*-debug.log; SINGCVMFS_CACHEDIR= $S --config $L/apptainer.conf -q version; gone`);
    const lines = stdout.split('\n');
    t.is(lines[0], 'A sample.', stderr);
    t.true(Number(lines[1]) > 200, 'the cache is in the image');
    t.deepEqual(lines.slice(2, 4), ['0', 'A sample.']);
    t.true(Number(lines[4]) > 0, 'requests are in the log');
    t.regex(lines[5] ?? '', /^1\.\d/, stderr);
  },
);

withApptainer('what mountrepo has mounted can be bound into a container', async (t) => {
  const { stdout, stderr } = await inRoot(`
    export CVMFSEXEC_MOUNTS=$P/scratch/by-user
    set -- -o "CVMFS_SERVER_URL=$(sed -n s/^CVMFS_SERVER_URL=//p $P/site.conf)" -o CVMFS_KEYS_DIR=$P/keys
    $P/package/bin/mountrepo "$@" -o CVMFS_HTTP_PROXY=DIRECT -o CVMFS_CACHE_BASE=$P/scratch/by-user-cache $R
    apptainer -q exec -B $CVMFSEXEC_MOUNTS:/cvmfs $busybox cat $M/README
    $P/package/bin/umountrepo -a; ls $CVMFSEXEC_MOUNTS | wc -l; gone`);
  const content = execFileSync('cat', [join(repository.tree, 'README')], { encoding: 'utf8' });
  t.is(stdout, `${place.scratch}/by-user/${repository.fqrn}\n${content}0\n`, stderr);
});
