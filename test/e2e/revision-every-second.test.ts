// A new revision every second under a job, with overlays and a bind mount that stand on what does not change.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { Installation } from '../support/run-cvmfsexec.ts';
import { pseudoRandom } from '../support/tree-sample.ts';
import { type At, readsOf, updatingRepository } from '../support/updating-repository.ts';

const place = new Installation();

test.after.always(() => place.close());

/** Seconds of a revision every second; a long run sets CVMFSEXEC_SOAK_SECONDS. */
const SECONDS = Number(process.env.CVMFSEXEC_SOAK_SECONDS ?? 15);

function numbered(at: At, number: number): void {
  writeFileSync(at('value'), `${number}\n`.repeat(60_000));
  rmSync(at('link'), { force: true });
  symlinkSync(String(number), at('link'));
  for (let i = 0; i < 3; i++) {
    rmSync(at(`numbers/${number - 1}-${i}`), { force: true });
    writeFileSync(at(`numbers/${number}-${i}`), '');
  }
}

function first(at: At): void {
  mkdirSync(at('same/deep'), { recursive: true });
  mkdirSync(at('numbers'));
  writeFileSync(at('same/deep/file'), pseudoRandom(2_000_000, 3));
  for (let i = 0; i < 200; i++) writeFileSync(at(`numbers/keep-${i}`), '');
  numbered(at, 1);
}

const OVERLAY = [
  'mkdir -p $T/upper $T/work $T/merged $T/bound',
  'mount -t tmpfs none $T && mkdir $T/upper $T/work $T/merged $T/bound',
  'mount -t overlay overlay -o lowerdir=.,upperdir=$T/upper,workdir=$T/work,userxattr $T/merged',
  'mount --bind same/deep $T/bound',
].join(' && ');

/** The one that rootless container engines use: a FUSE file system on ours. */
const FUSE_OVERLAY =
  'mkdir $T/upper2 $T/work2 $T/fuse && fuse-overlayfs -o lowerdir=.,upperdir=$T/upper2,workdir=$T/work2 $T/fuse';
const hasFuseOverlay = spawnSync('fuse-overlayfs', ['--version']).status === 0;

test.serial(
  'a new revision every second under a job: no error, nothing stale, no mix, what is unchanged read once',
  async (t) => {
    const { publish, shell: start, mount } = await updatingRepository(t, place, { writeTree: first });
    const watcher = place.bundle('test/e2e/revision-watcher.ts');
    const shell = start({ debug: true, wrap: ['unshare', '-Urm'] });
    await shell.run(`cd ${mount}; T=${place.newPath()}; mkdir $T`);
    const mounted = await shell.run(OVERLAY);
    t.is(mounted.status, 0, shell.stderr.slice(-2000));
    if (hasFuseOverlay) {
      const { output, status } = await shell.run(`(${FUSE_OVERLAY}) 2>&1`);
      t.is(status, 0, output);
    } else t.log('without fuse-overlayfs, which is not installed');
    const [identity] = (await shell.output('stat -c %i same/deep/file')).split('\n');
    let published = 0;
    let watching = true;
    const watchers = [mount, '$T/merged', ...(hasFuseOverlay ? ['$T/fuse'] : [])];
    const script = [
      // On the repository itself, and on overlays through which its unchanged files are seen.
      ...watchers.map((unchanged) => `${place.node} ${watcher} ${mount} ${SECONDS} ${unchanged} &`),
      'wait;',
      'for place in same/deep $T/bound $T/merged/same/deep; do md5sum <$place/file; done;',
      ...(hasFuseOverlay ? ['md5sum <$T/fuse/same/deep/file;'] : []),
      'echo new >$T/merged/same/deep/more && cat $T/bound/more 2>/dev/null; ls $T/merged/same/deep;',
      ...(hasFuseOverlay ? ['echo new >$T/fuse/same/deep/more && ls $T/fuse/same/deep'] : []),
    ];
    const watch = shell.output(script.join(' ')).finally(() => {
      watching = false;
    });
    while (watching) {
      const next = performance.now() + 1000;
      await publish((at) => numbered(at, 2 + published));
      published++;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
    }
    const lines = (await watch).split('\n');
    for (const line of lines.splice(0, watchers.length)) {
      const { loops, revisions, errors } = JSON.parse(line);
      t.deepEqual(errors, [], `${loops} loops, ${revisions} of ${published} revisions`);
      t.true(loops > SECONDS && revisions > SECONDS / 4, line);
    }
    const sums = lines.splice(0, watchers.length + 1);
    t.deepEqual(new Set(sums), new Set([sums[0]]));
    t.deepEqual(
      lines,
      [...Array(watchers.length - 1)].flatMap(() => ['file', 'more']),
    );
    const reads = readsOf(shell, identity);
    t.true(reads >= 2 && reads <= 40, `${reads} requests for 2 MB`);
    t.notRegex(shell.stderr, /may show old names|cannot/);
  },
);
