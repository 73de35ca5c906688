// Any tree, changed in any way: the checker finds nothing, and what did not change is not written.
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { createRepository } from '../../src/publish/create-repository.ts';
import { publish } from '../../src/publish/publish.ts';
import { listTree } from '../support/tree-listing.ts';
import { checkRepository } from './checker.ts';

type Step =
  | { readonly kind: 'directory' | 'marker' | 'remove'; readonly at: number }
  | { readonly kind: 'file'; readonly at: number; readonly size: number }
  | { readonly kind: 'link' | 'symlink'; readonly at: number; readonly to: number };

const index = fc.nat(200);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('directory' as const), at: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('marker' as const), at: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: index }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('file' as const), at: index, size: fc.nat(9000) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('link' as const, 'symlink' as const), at: index, to: index }),
  },
);

/** Applies steps to a directory; remembers directories and files between calls. */
class RandomTree {
  readonly #root: string;
  #directories: string[];
  #files: string[] = [];
  #names = 0;

  constructor(root: string) {
    this.#root = root;
    this.#directories = [root];
  }

  apply(steps: readonly Step[]): void {
    for (const next of steps) this.#apply(next);
  }

  #apply(next: Step): void {
    const directory = this.#directories[next.at % this.#directories.length]!;
    const path = join(directory, `n${this.#names++}`);
    const file =
      this.#files.length > 0 ? this.#files[('to' in next ? next.to : next.at) % this.#files.length] : undefined;
    if (next.kind === 'directory') {
      mkdirSync(path);
      this.#directories.push(path);
    } else if (next.kind === 'marker') writeFileSync(join(directory, '.cvmfscatalog'), '');
    else if (next.kind === 'file') {
      writeFileSync(path, Buffer.alloc(next.size, next.at));
      this.#files.push(path);
    } else if (next.kind === 'symlink') symlinkSync(file ?? 'nowhere', path);
    else if (next.kind === 'link' && file !== undefined) {
      linkSync(file, path);
      this.#files.push(path);
    } else if (next.kind === 'remove' && directory !== this.#root) {
      rmSync(directory, { recursive: true });
      const kept = (other: string) => other !== directory && !other.startsWith(`${directory}/`);
      this.#directories = this.#directories.filter(kept);
      this.#files = this.#files.filter(kept);
    }
  }
}

test('any tree and any change of it can be published', async (t) => {
  const keysBase = mkdtempSync(join(tmpdir(), 'random-'));
  t.teardown(() => rmSync(keysBase, { recursive: true, force: true }));
  const keysDirectory = join(keysBase, 'keys');
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(rounds, async (changes) => {
      const base = mkdtempSync(join(keysBase, 'run-'));
      const location = { directory: join(base, 'repository'), keysDirectory };
      const tree = join(base, 'tree');
      mkdirSync(tree);
      const random = new RandomTree(tree);
      const chunkSizes = { min: 1000, average: 2000, max: 4000 };
      await createRepository({ ...location, fqrn: 'random.example.org', chunkSizes, durable: false });
      const options = { xattrs: new Map(), durable: false };
      for (const steps of changes) {
        random.apply(steps);
        await publish(location, tree, options);
        const { problems, rows } = checkRepository(location.directory, join(keysDirectory, 'random.example.org.pub'));
        t.deepEqual(problems, []);
        const listing = listTree(tree);
        t.is(rows.size, listing.length);
        for (const { path, nlink } of listing) if (nlink !== undefined) t.is(rows.get(path)?.links, nlink, path);
      }
      t.is((await publish(location, tree, options)).objectsWritten, 0);
      rmSync(base, { recursive: true });
    }),
    { numRuns: 12 },
  );
});
