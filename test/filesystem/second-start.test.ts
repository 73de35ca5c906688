import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { MountedRepository, type RepositorySettings } from '../../src/filesystem/mounted-repository.ts';
import { decodeRecord } from '../../src/filesystem/node-journal.ts';
import { readMasterKeys } from '../../src/repository/master-keys.ts';
import { TestServer } from '../support/http-server.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { nodeAt, settled } from './made-file-system.ts';

interface Site {
  readonly repository: TestRepository;
  readonly server: TestServer;
  readonly settings: RepositorySettings;
}

async function makeSite(t: ExecutionContext, more: Partial<RepositorySettings> = {}): Promise<Site> {
  const repository = await makeTestRepository({
    xattrs: new Map(),
    writeTree: (directory) => writeFileSync(join(directory, 'file'), 'content'),
  });
  t.teardown(repository.remove);
  const server = await TestServer.start({ root: repository.serverRoot });
  t.teardown(() => server.close());
  const settings: RepositorySettings = {
    fqrn: repository.fqrn,
    masterKeys: readMasterKeys([repository.publicKey]),
    cacheDirectory: temporaryDirectory(t),
    servers: { servers: [`${server.url}/${repository.fqrn}`], timeoutDirect: 2, maxRetries: 0 },
    ownership: { worldReadable: false },
    variables: {},
    report: (message) => t.log(message),
    ...more,
  };
  return { repository, server, settings };
}

/** Starts and ends as a job does; gives the revision and what the server was asked for. */
async function start({ server, settings }: Site): Promise<{ revision: number | undefined; asked: string[] }> {
  server.requests.length = 0;
  const mounted = await MountedRepository.open(settings);
  const { revision } = mounted.root;
  await mounted.close();
  return { revision, asked: server.requests.map(({ path }) => path) };
}

test('the second job of a node asks the network for nothing, even where there is none', async (t) => {
  const site = await makeSite(t);
  const first = await start(site);
  t.true(first.asked.length >= 3);
  t.deepEqual(await start(site), { revision: first.revision, asked: [] });
  await site.server.close();
  t.deepEqual(await start(site), { revision: first.revision, asked: [] });
});

test('what was published meanwhile is seen when the TTL is over', async (t) => {
  const site = await makeSite(t);
  const { revision = 0 } = await start(site);
  writeFileSync(join(site.repository.tree, 'file'), 'other content');
  await site.repository.publish();
  t.is((await start(site)).revision, revision);
  const later = await start({ ...site, settings: { ...site.settings, maxTtl: 0 } });
  t.is(later.revision, revision + 1);
  t.true(later.asked.some((path) => path.endsWith('.cvmfspublished')));
});

test('a server that follows one killed in a switch answers for what was open before it is told to follow revisions', async (t) => {
  const site = await makeSite(t);
  const records: string[] = [];
  const journal = { append: (record: string) => void records.push(record), records };
  const before = await MountedRepository.open({ ...site.settings, journal });
  t.teardown(() => before.close());
  const node = await nodeAt(before.operations, '/file');
  writeFileSync(join(site.repository.tree, 'file'), 'other content');
  await site.repository.publish();
  t.is(await before.remount(), 'switched');
  // Killed before the kernel was told of it.
  t.is(decodeRecord(records.pop() ?? '')?.kind, 'settled');
  t.is(decodeRecord(records.at(-1) ?? '')?.kind, 'switch');

  const after = await MountedRepository.open({ ...site.settings, journal });
  t.teardown(() => after.close());
  const content = Buffer.alloc(20);
  const length = await settled(() => after.operations.read(node, 0, content));
  t.is(content.toString('latin1', 0, length), 'content');
  t.not(await nodeAt(after.operations, '/file'), node);
});

test('a root catalog that was evicted is all that is fetched', async (t) => {
  const site = await makeSite(t);
  const mounted = await MountedRepository.open(site.settings);
  const { rootHash } = mounted.root;
  await mounted.close();
  CacheDirectory.open(site.settings.cacheDirectory).remove(rootHash);
  const { asked } = await start(site);
  t.is(asked.length, 1);
  t.true(asked[0].endsWith(`${rootHash.tail}C`));
});
