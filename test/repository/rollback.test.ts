import test from 'ava';
import fc from 'fast-check';
import { ContentHash } from '../../src/objects/hash.ts';
import type { Breadcrumb } from '../../src/repository/breadcrumb.ts';
import type { Manifest } from '../../src/repository/manifest.ts';
import { decideRoot, type LocalRoot, localRoot } from '../../src/repository/rollback.ts';

const hash = (digit: string) => new ContentHash('sha1', digit.repeat(40));
const served = (revision: number) => ({ revision }) as Manifest;
const local = (revision: number): LocalRoot => ({ rootHash: hash('a'), timestamp: 1, revision, mounted: false });
const crumb = (revision: number, timestamp = 100): Breadcrumb => ({ rootHash: hash('b'), timestamp, revision });
const mounted = (revision: number, lastModified = 100) => ({ rootHash: hash('c'), lastModified, revision });

test('what is known locally: nothing, the breadcrumb, or what is mounted', (t) => {
  t.is(localRoot(undefined), undefined);
  t.like(localRoot(crumb(5)), { revision: 5, timestamp: 100, mounted: false });
  t.like(localRoot(undefined, mounted(5)), { revision: 5, timestamp: 100, mounted: true });
});

test('a breadcrumb that is not newer than what is mounted gives its timestamp only', (t) => {
  t.like(localRoot(crumb(5, 300), mounted(5, 200)), { rootHash: hash('c'), timestamp: 300, mounted: true });
  t.like(localRoot(crumb(0, 100), mounted(5, 200)), { rootHash: hash('c'), timestamp: 200, mounted: true });
});

test('a breadcrumb that another process moved on wins over what is mounted', (t) => {
  t.like(localRoot(crumb(6), mounted(5)), { rootHash: hash('b'), revision: 6, mounted: false });
});

test('a newer revision is taken, an equal or lower one is not', (t) => {
  t.deepEqual(decideRoot(local(5), served(6)), { from: 'server', offline: false });
  t.deepEqual(decideRoot(local(5), served(5)), { from: 'local', offline: false });
  t.deepEqual(decideRoot(local(5), served(4)), { from: 'local', offline: true });
});

test('with nothing known anything is taken; without a manifest what is known is used', (t) => {
  t.deepEqual(decideRoot(undefined, served(0)), { from: 'server', offline: false });
  t.deepEqual(decideRoot(local(5), undefined), { from: 'local', offline: true });
  t.is(decideRoot(undefined, undefined), undefined);
});

test('revision 0 is replaced by revision 0: a repository made anew', (t) => {
  t.like(decideRoot(local(0), served(0)), { from: 'server' });
});

test('no sequence of manifests makes a client go back', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (revisions) => {
      let known: LocalRoot | undefined;
      for (const revision of revisions) {
        const before = known?.revision ?? 0;
        if (decideRoot(known, served(revision))?.from === 'server') known = local(revision);
        t.true(known!.revision >= before);
      }
    }),
  );
});
