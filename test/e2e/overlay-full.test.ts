// Overlays whose place for changes is full: a directory on a full disk, and the memory of the node.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { isRoot } from '../support/ordinary-user.ts';
import { writeOverlayTree } from '../support/overlay-tree.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, type Outcome } from '../support/run-cvmfsexec.ts';

const place = new Installation();
const cache = place.newPath();
const LARGE = 16 << 20;
let repository: TestRepository;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: 'overlay.example.org',
    writeTree(directory) {
      writeOverlayTree(directory);
      writeFileSync(join(directory, 'large'), Buffer.alloc(LARGE, 'published\n'));
    },
    xattrs: new Map(),
  });
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

/** A shell script that begins in the repository. `of`: `:DIR` or nothing. */
function job(script: string, engine: string, of: string, programs?: string): Promise<Outcome> {
  return place.run({
    repositories: [],
    parameters: {
      SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_BASE: cache,
    },
    options: ['--overlay', `${repository.fqrn}${of}`, '--overlay-engine', engine],
    command: ['sh', '-c', `export LC_ALL=C; cd /cvmfs/${repository.fqrn}; ${script}`],
    ...(programs ? { env: { PATH: `${programs}:${process.env.PATH}` } } : {}),
  });
}

/** Whoever writes is told, if perhaps only by close(2); and what is there stays as it was. */
const FILL = `echo before >text/new; echo more >>text/line
  dd if=/dev/zero of=new bs=64k count=400 2>&1 | sed -n 's/.*: //p'
  (echo small | dd of=text/small) 2>/dev/null || echo refused
  (echo more >>large) 2>&1 | sed 's/.*: //'; (echo more >>text/other) 2>/dev/null; : >text/empty 2>/dev/null
  md5sum <large; cat text/new text/line text/other
  rm new; echo after >text/after; cat text/after`;

for (const engine of ['kernel', 'fuse']) {
  const sum = () => execFileSync('md5sum', { input: Buffer.alloc(LARGE, 'published\n'), encoding: 'utf8' });
  const expected = () => {
    const full = 'No space left on device\n';
    return `${full}refused\n${full}${sum()}before\nline\nmore\nother\nafter\n`;
  };

  const onFullDisk = isRoot ? test.serial : test.serial.skip;
  onFullDisk(`${engine}: a full disk is an error of the job's own, and what was there before stays`, async (t) => {
    const disk = place.newPath();
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=777', 'tmpfs', disk]);
    try {
      const of = `:${disk}/changes`;
      const { stdout, stderr, exitCode } = await job(FILL, engine, of);
      t.deepEqual([stdout, stderr, exitCode], [expected(), '', 0]);
      const next = await job('md5sum <large; cat text/new text/line text/after; ls', engine, of);
      const published = 'away\nc\nlarge\nmany\nmode\nnested\nodd\ntext\ntree\nway\n';
      t.is(next.stdout, `${sum()}before\nline\nmore\nafter\n${published}`, next.stderr);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test.serial(`${engine}: as much memory as there may be is an error of the job's own`, async (t) => {
    // A tmpfs has half of the node's memory; here it gets less.
    const shims = place.newPath();
    mkdirSync(shims);
    const small = `#!/bin/sh
for word; do shift; case $word in mode=0700,*) word=$word,size=4m ;; esac; set -- "$@" "$word"; done
exec /usr/bin/mount "$@"\n`;
    writeFileSync(join(shims, 'mount'), small, { mode: 0o755 });
    const { stdout, stderr, exitCode } = await job(FILL, engine, '', shims);
    t.deepEqual([stdout, stderr, exitCode], [expected(), '', 0]);
  });
}
