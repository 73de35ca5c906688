import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openCache } from '../../src/cache/open-cache.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { type ObjectReader, openObject } from '../../src/repository/source.ts';
import { TestServer } from '../support/http-server.ts';
import { makeObject, publishObject, sampleBytes, temporaryDirectory } from '../support/object-fixture.ts';

/** An object on a server, and a store from which it is removed `times` times, each time just when it has come. */
async function makeStore(t: ExecutionContext, times: number) {
  const root = temporaryDirectory(t);
  const server = await TestServer.start({ root });
  const directory = join(temporaryDirectory(t), 'cache');
  const source = new Downloader({ servers: [server.url] });
  const store = new CacheStore({ ...openCache({ kind: 'posix', directory, access: 'private' }), source });
  t.teardown(async () => {
    source.close();
    await store.close();
    await server.close();
  });
  const { request } = publishObject(root, makeObject(sampleBytes(1_000_000)));
  let left = times;
  const reader: ObjectReader = {
    open: (hash, size) => store.open(hash, size),
    async fetch(wanted) {
      await store.fetch(wanted);
      if (left-- > 0) store.evict(wanted.hash);
    },
  };
  return { request, reader };
}

test('an object that is wiped between its arrival and its opening is fetched again', async (t) => {
  const { request, reader } = await makeStore(t, 2);
  const object = await openObject(reader, request);
  t.is(object.size, 1_000_000);
  object.close();
});

test('an object that is gone each time it has come is an error in the end', async (t) => {
  const { request, reader } = await makeStore(t, Infinity);
  await t.throwsAsync(openObject(reader, request), { message: /was fetched, but cannot be opened/ });
});
