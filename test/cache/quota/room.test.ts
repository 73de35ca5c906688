// Who may store when a cache is nearly full: what counts, from when on, and for how long.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../../src/cache/directory.ts';
import { onDisk } from '../../../src/cache/quota/accounts.ts';
import { encodeLine } from '../../../src/cache/quota/ledger-line.ts';
import { Quota } from '../../../src/cache/quota/quota.ts';
import { quotaDirectory } from '../../../src/cache/quota/quota-files.ts';
import { pathOfObject, scanObjects } from '../../../src/cache/quota/scan.ts';
import { ContentHash } from '../../../src/objects/hash.ts';
import type { ObjectRequest } from '../../../src/objects/object.ts';
import { sampleBytes, temporaryDirectory } from '../../support/object-fixture.ts';

const LIMIT = 1_000_000;
const SIZE = 50_000;

/** A cache of at most LIMIT bytes, and its users: each is a process as far as the quota can tell. */
function makeCache(t: ExecutionContext) {
  const path = join(temporaryDirectory(t), 'cache');
  const directory = CacheDirectory.open(path);
  const user = (): Quota => {
    const quota = new Quota({ directory: path, quotaDirectory: quotaDirectory(path), limit: LIMIT });
    t.teardown(() => quota.close());
    return quota;
  };
  let count = 0;
  const store = (quota: Quota, size = SIZE): boolean => {
    const content = sampleBytes(size, ++count);
    const hash = ContentHash.of('sha1', content);
    if (!quota.adding({ hash, letter: '', compression: 'none', label: '/file' }, size)) return false;
    directory.store(hash, content);
    return true;
  };
  return { path, ledger: `${quotaDirectory(path)}/ledger`, user, store };
}

async function bytesIn(path: string): Promise<number> {
  let bytes = 0;
  for await (const found of scanObjects(path)) for (const { size } of found) bytes += onDisk(size);
  return bytes;
}

function storedIn(ledger: string): string[] {
  return [...fs.readFileSync(ledger, 'latin1').matchAll(/^\+ ([0-9a-f]{40})/gm)].map(([, hash]) => hash);
}

async function until(isSo: () => boolean): Promise<boolean> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await sleep(5)) {
    if (isSo()) return true;
  }
  return false;
}

test('a transfer keeps its room, however much is stored and removed while it lasts', async (t) => {
  const { path, user, store } = makeCache(t);
  const quota = user();
  t.true(store(quota));
  const size = 500_000;
  const release = quota.reserve(size);
  if (!release) return t.fail('there is room');
  for (let i = 0; i < 60; i++) {
    t.true(await until(() => store(quota)), 'older objects go');
    const bytes = await bytesIn(path);
    if (bytes + size > LIMIT) return t.fail(`${bytes} bytes are stored, and ${size} on their way`);
  }
  release();
  t.true(await until(() => (quota.state()?.used ?? LIMIT) < LIMIT - size));
  for (let i = 0; i < 12; i++) t.true(await until(() => store(quota)));
  t.true((await bytesIn(path)) > LIMIT - size, 'the room is used again');
});

test('room is there when the keeper has counted it, not when somebody notes a removal', (t) => {
  const { ledger, user, store } = makeCache(t);
  const quota = user();
  t.true(store(quota, 900_000));
  const [hash] = storedIn(ledger);
  fs.appendFileSync(ledger, encodeLine({ type: 'removed', hash }));
  t.false(store(user(), 200_000));
});

test('the room of a transfer that is over is there at once', (t) => {
  const { user, store } = makeCache(t);
  const [one, other] = [user(), user()];
  const release = one.reserve(900_000);
  t.false(store(other, 200_000));
  release?.();
  t.true(store(other, 200_000));
});

test('what a keeper that was killed had noted as removed is removed by the next one', async (t) => {
  const { path, ledger, user, store } = makeCache(t);
  const first = user();
  for (let i = 0; i < 3; i++) t.true(store(first));
  const [left] = storedIn(ledger);
  first.close();
  fs.appendFileSync(ledger, encodeLine({ type: 'removed', hash: left }));
  const next = user();
  next.wantAtMost(LIMIT);
  t.true(await until(() => !fs.existsSync(pathOfObject(path, left))));
  t.true(await until(() => next.state()?.objects === 2));
  t.is(await bytesIn(path), 2 * onDisk(SIZE));
});

test('who had looked at a cache that was removed and filled again sees how full the new one is', async (t) => {
  const { path, user, store } = makeCache(t);
  const old = user();
  t.true(store(old));
  t.true(await until(() => old.state() !== undefined));
  old.close();
  const first = user();
  t.true(store(first));
  fs.rmSync(path, { recursive: true });
  fs.mkdirSync(path, { mode: 0o700 });
  const second = user();
  second.wantAtMost(LIMIT);
  for (let i = 0; i < 60; i++) t.true(await until(() => store(second)));
  t.true(await until(() => store(first)), 'what was removed takes no room');
});

test('an object is not taken for removed because it is noted twice', (t) => {
  const { user, store } = makeCache(t);
  const quota = user();
  const request: ObjectRequest = {
    hash: ContentHash.of('sha1', Buffer.from('x')),
    letter: '',
    compression: 'none',
    label: '',
  };
  quota.noteStored(request, 600_000);
  quota.noteStored(request, 600_000);
  t.true(store(user(), 300_000));
  t.false(store(user(), 600_000));
});
