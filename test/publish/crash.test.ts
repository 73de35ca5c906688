// Whatever ends a publication, and whenever: clients see the revision before or the one after, whole.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { pseudoRandom } from '../support/tree-sample.ts';
import { checkRepository } from './checker.ts';

const publisher = join(import.meta.dirname, 'publish-program.ts');

interface End {
  /** Exit code, null when it was killed. */
  readonly status: number | null;
  /** Milliseconds from the begin of the publication to the end of its process. */
  readonly duration: number;
}

/** Runs a publication in a process of its own. */
async function run({ directory, keysDirectory, tree }: TestRepository, killAfter?: number): Promise<End> {
  const child = spawn(process.execPath, [publisher, directory, keysDirectory, tree], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let begun = 0;
  child.stdout.once('data', () => {
    begun = performance.now();
    if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  });
  const [status] = await once(child, 'exit');
  return { status, duration: performance.now() - begun };
}

/** Enough to be killed in the middle of, and little to check. */
function writeTree(directory: string): void {
  for (let i = 0; i < 300; i++) {
    const path = join(directory, `software/${i % 3}.0/part-${i % 10}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `file-${i}`), pseudoRandom(1000, i));
    writeFileSync(join(directory, `software/${i % 3}.0/.cvmfscatalog`), '');
  }
}

test('a publisher that is killed at any moment leaves a valid revision, and the next one carries on', async (t) => {
  const repository = await makeTestRepository({ writeTree, xattrs: new Map() });
  t.teardown(repository.remove);
  const change = (step: number) => {
    writeFileSync(join(repository.tree, 'README'), String(step));
    for (let i = 0; i < 20; i++) {
      writeFileSync(join(repository.tree, `software/1.0/new-${i}`), pseudoRandom(100_000, step * 20 + i));
    }
  };
  change(0);
  const { status, duration } = await run(repository);
  t.is(status, 0);
  let revision = 2;
  let killed = 0;
  const steps = 12;
  for (let step = 1; step <= steps; step++) {
    change(step);
    const { status } = await run(repository, (duration * step) / steps);
    if (status === null) killed++;
    const { problems, manifest } = checkRepository(repository.directory, repository.publicKey);
    // Between the two renames the reflog, which no client reads, is that of the next manifest.
    const serious = problems.filter((problem) => !problem.startsWith('.cvmfsreflog: hash'));
    t.deepEqual(serious, [], `killed in step ${step} of ${steps}`);
    t.true(manifest.revision === revision + 1 || (status === null && manifest.revision === revision));
    revision = manifest.revision;
  }
  t.log(`${killed} of ${steps} publications killed, ${revision - 2} came into force`);
  t.true(killed > 0);
  t.is((await run(repository)).status, 0);
  t.deepEqual(checkRepository(repository.directory, repository.publicKey).problems, []);
  t.deepEqual(readdirSync(join(repository.directory, 'data/txn')), ['lock']);
});

test('a second publisher is told to wait', async (t) => {
  const repository = await makeTestRepository({ writeTree, xattrs: new Map() });
  t.teardown(repository.remove);
  writeFileSync(join(repository.tree, 'README'), 'other');
  const publications = await Promise.allSettled([repository.publish(), repository.publish()]);
  const refused = publications.filter((result) => result.status === 'rejected');
  t.is(refused.length, 1);
  t.is(refused[0]!.reason.code, 'LOCKED');
  t.deepEqual(checkRepository(repository.directory, repository.publicKey).problems, []);
});
