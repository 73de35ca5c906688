// The attributes that the client makes up, their pages, who sees them (client.md §5.11), and what `df` shows (§5.10).
import { deflateSync } from 'node:zlib';
import test from 'ava';
import type { RepositoryOperations } from '../../src/filesystem/repository-operations.ts';
import { DEFAULT_RULES } from '../../src/filesystem/xattrs/access-rules.ts';
import { MAGIC } from '../../src/filesystem/xattrs/magic.ts';
import { PAGE_LENGTH, paginate, parsePageRequest, renderPage } from '../../src/filesystem/xattrs/pages.ts';
import { ROOT_NODE } from '../../src/fuse/operations.ts';
import { ContentHash } from '../../src/objects/hash.ts';
import { FLAG_CHUNKED, FLAG_EXTERNAL } from '../../src/repository/entry-flags.ts';
import type { Manifest } from '../../src/repository/manifest.ts';
import { catalogFile, insertChunk } from '../repository/made-catalog.ts';
import { CALLER, DIRECTORY, errnoOf, MADE_NETWORK, madeFileSystem, nodeAt, settled } from './made-file-system.ts';
import { MemoryStore } from './memory-store.ts';

const ENODATA = 61;
const SYMLINK = 0o120777;

async function read(operations: RepositoryOperations, path: string, name: string): Promise<string> {
  const node = await nodeAt(operations, path);
  return Buffer.from(await settled(() => operations.getxattr(node, name, CALLER))).toString('latin1');
}

const CHUNK = 'cd'.repeat(20);

function sample(options: Parameters<typeof madeFileSystem>[1] = {}) {
  const store = options.store ?? new MemoryStore();
  const content = Buffer.from('content');
  const hash = store.add(content);
  const nested = catalogFile({
    properties: { root_prefix: '/nested' },
    rows: [{ path: '/nested/file' }],
    after: "UPDATE statistics SET value = 5 WHERE counter = 'self_regular'",
  });
  const nestedHash = store.add(nested);
  const root = {
    properties: { revision: '7' },
    rows: [
      { path: '/file', hash: hash.digest, size: content.length },
      { path: '/chunked', flags: 4 | FLAG_CHUNKED, size: 20 },
      { path: '/external', flags: 4 | FLAG_EXTERNAL | (1 << 11), hash: hash.digest, size: 7 },
      { path: '/link', mode: SYMLINK, flags: 12, symlink: '$(X)/target' },
      { path: '/nested', mode: DIRECTORY, flags: 3 },
      { path: '/dir', mode: DIRECTORY, flags: 1 },
    ],
    after: `INSERT INTO nested_catalogs VALUES ('/nested', '${nestedHash}', ${nested.length});
      ${insertChunk('/chunked', 0, 12)} ${insertChunk('/chunked', 12, 8)}
      UPDATE statistics SET value = 4 WHERE counter = 'self_regular';
      UPDATE statistics SET value = 2 WHERE counter = 'subtree_regular';
      UPDATE statistics SET value = 1 WHERE counter = 'self_symlink';`,
  };
  return { hash, nestedHash, ...madeFileSystem(root, { ...options, store }) };
}

test('values of files: hash, chunks, compression, flags', async (t) => {
  const { operations, hash } = sample();
  const expected: [string, string, string][] = [
    ['/file', 'user.hash', hash.toString()],
    ['/file', 'user.chunks', '1'],
    ['/file', 'user.chunk_list', `hash,offset,size\n${hash},0,7\n`],
    ['/file', 'user.compression', 'zlib'],
    ['/file', 'user.external_file', '0'],
    ['/file', 'user.direct_io', '0'],
    ['/chunked', 'user.chunks', '2'],
    ['/chunked', 'user.chunk_list', `hash,offset,size\n${CHUNK},0,12\n${CHUNK},12,8\n`],
    ['/external', 'user.external_file', '1'],
    ['/external', 'user.compression', 'none'],
    ['/link', 'xfsroot.rawlink', '$(X)/target'],
    ['/link', 'user.rawlink', '$(X)/target'],
  ];
  for (const [path, name, value] of expected) t.is(await read(operations, path, name), value, `${path} ${name}`);
  const absent = [
    ['/dir', 'user.chunks'],
    ['/dir', 'user.hash'],
    ['/chunked', 'user.hash'],
    ['/file', 'user.rawlink'],
    ['/file', 'user.external_url'],
    ['/file', 'user.authz'],
  ];
  for (const [path, name] of absent) {
    const node = await nodeAt(operations, path);
    t.is(
      errnoOf(() => operations.getxattr(node, name, CALLER)),
      ENODATA,
      `${path} ${name}`,
    );
  }
});

test('values of the mount, in the reference’s forms', async (t) => {
  const { operations, tree } = sample({
    facts: {
      tag: 'v1.0',
      mountedAt: performance.now() - 185_000,
      expires: () => Date.now() + 179_900,
      external: { ...MADE_NETWORK, server: () => 'http://ext/data' },
      lastMessages: () => '[time] message\n',
    },
  });
  const expected: Record<string, string> = {
    'user.expires': '2',
    'user.external_host': 'http://ext/data',
    'user.external_timeout': '10',
    'user.fqrn': 'made.example.org',
    'user.hitrate': '62.500',
    'user.host': 'http://b/made.example.org',
    'user.host_list': 'http://b/made.example.org;http://a/made.example.org',
    'user.inode_max': String(tree.inodeGauge),
    'user.logbuffer': '[time] message\n',
    'user.maxfd': '512',
    'user.ncleanup24': '-1',
    'user.nclg': '1',
    'user.ndiropen': '2',
    'user.ndownload': '6',
    'user.nioerr': '1',
    'user.nopen': '4',
    'user.pid': String(process.pid),
    'user.proxy': 'http://proxy:3128',
    'user.proxy_list': 'http://proxy:3128\nhttp://other:3128\nDIRECT\n',
    'user.revision': '7',
    'user.root_hash': 'ab'.repeat(20),
    'user.rx': '6144',
    'user.speed': '2048',
    'user.tag': 'v1.0',
    'user.timeout': '5',
    'user.timeout_direct': '10',
    'user.timestamp_last_ioerr': '1700000000',
    'user.uptime': '3',
    'user.usedfd': '5',
    'user.useddirp': '0',
    'user.version': '2.12.0.0',
  };
  for (const [name, value] of Object.entries(expected)) t.is(await read(operations, '/dir', name), value, name);
  t.is(await read(operations, '/external', 'user.external_url'), 'http://ext/data/external');
});

test('what has not happened yet, and what is not configured', async (t) => {
  const nothing = { downloads: 0, bytes: 0, milliseconds: 0 };
  const { operations } = sample({
    facts: {
      cache: () => ({ requests: 0, misses: 0, cleanups: 2 }),
      network: { ...MADE_NETWORK, server: () => undefined, transfers: () => nothing },
    },
  });
  t.is(await read(operations, '/', 'user.hitrate'), 'n/a');
  t.is(await read(operations, '/', 'user.speed'), 'n/a');
  t.is(await read(operations, '/', 'user.ncleanup24'), '2');
  t.is(await read(operations, '/', 'user.expires'), 'never (fixed root catalog)');
  t.is(await read(operations, '/', 'user.host'), 'internal error: no hosts defined');
  t.is(await read(operations, '/', 'user.external_host'), 'internal error: no hosts defined');
  for (const name of ['user.pubkeys', 'user.proxy_list_external']) {
    t.is(
      errnoOf(() => operations.getxattr(ROOT_NODE, name, CALLER)),
      ENODATA,
      name,
    );
  }
});

test('counters of catalogs: the one that holds what is in a directory, loaded for that', async (t) => {
  const { operations, nestedHash, store } = sample();
  const lines = (regular: number, symlink: number): string =>
    `chunked,0\nchunked_size,0\nchunks,0\ndir,2\nexternal,0\nexternal_file_size,0\nfile_size,0\nnested,0\nregular,${regular}\nspecial,0\nsymlink,${symlink}\nxattr,0\n`;
  t.is(await read(operations, '/dir', 'user.repo_counters'), lines(6, 1));
  const root = `catalog_hash: ${'ab'.repeat(20)}\ncatalog_mountpoint: \n${lines(6, 1)}`;
  t.is(await read(operations, '/dir', 'user.catalog_counters'), root);
  t.is(await read(operations, '/file', 'user.catalog_counters'), root);
  t.deepEqual(store.fetched, []);
  const nested = await read(operations, '/nested', 'user.catalog_counters');
  t.is(nested, `catalog_hash: ${nestedHash}\ncatalog_mountpoint: /nested\n${lines(5, 0)}`);
  t.deepEqual(store.fetched, ['file catalog at /nested']);
});

test('the hash of cached content, and of what is not cached', async (t) => {
  const plain = Buffer.alloc(3 << 20, 'x');
  const store = new MemoryStore();
  const hash = store.add(deflateSync(plain));
  store.replaceLocal(hash, plain);
  const rows = [
    { path: '/local', hash: hash.digest, size: plain.length },
    { path: '/remote', hash: Buffer.alloc(20, 7), size: 1 },
  ];
  const { operations } = madeFileSystem({ rows }, { store });
  t.is(await read(operations, '/local', 'user.lhash'), ContentHash.of('sha1', plain).toString());
  t.is(await read(operations, '/remote', 'user.lhash'), 'Not in cache');
  t.is(store.opened, 0);
  store.replaceLocal(hash, Buffer.alloc(plain.length, 'y'));
  t.is(await read(operations, '/local', 'user.lhash'), ContentHash.of('sha1', Buffer.alloc(3 << 20, 'y')).toString());
});

test('the repository’s description of itself, or why there is none', async (t) => {
  const store = new MemoryStore();
  const metainfo = store.add(Buffer.from('{"administrator":"me"}'));
  const told = async (manifest: Promise<Partial<Manifest>>) => {
    manifest.catch(() => {});
    const { operations } = madeFileSystem({}, { store, facts: { manifest: () => manifest as Promise<Manifest> } });
    return read(operations, '/', 'user.repo_metainfo');
  };
  t.is(await told(Promise.resolve({ metainfo })), '{"administrator":"me"}');
  t.is(await told(Promise.resolve({})), 'metainfo not available');
  t.is(await told(Promise.reject(new Error('no server'))), 'manifest not available');
  t.is(
    await told(Promise.resolve({ metainfo: new ContentHash('sha1', 'ef'.repeat(20)) })),
    'Failed to open metadata file',
  );
  const large = store.add(Buffer.alloc(100_000, ' '));
  t.is(await told(Promise.resolve({ metainfo: large })), 'Failed to open: metadata file is too big');
});

test('names with a page: ~ for programs, @ for people, ? for how many', (t) => {
  const request = (attribute: string, page: number | undefined, human = false) => ({ attribute, page, human });
  t.deepEqual(parsePageRequest('user.x'), request('user.x', 0));
  t.deepEqual(parsePageRequest('user.x~0'), request('user.x', 0));
  t.deepEqual(parsePageRequest('user.x~12'), request('user.x', 12));
  t.deepEqual(parsePageRequest('user.x@3'), request('user.x', 3, true));
  t.deepEqual(parsePageRequest('user.x~?'), request('user.x', undefined));
  t.deepEqual(parsePageRequest('user.x@?'), request('user.x', undefined, true));
  t.deepEqual(parsePageRequest('user.x~a~2'), request('user.x', 2));
  t.deepEqual(parsePageRequest('user.x~a@2'), request('user.x~a', 2, true));
  for (const wrong of ['user.x~', 'user.x~-1', 'user.x@one', 'user.x~1 ']) t.is(parsePageRequest(wrong), undefined);
});

test('pages as they are read', (t) => {
  const pages = ['a\n', 'b\n'];
  const at = (page: number | undefined, human = false) => renderPage(pages, { attribute: '', page, human });
  t.is(at(1), 'b\n');
  t.is(at(2), undefined);
  t.is(at(undefined), 'num_pages, 2');
  t.is(
    at(1, true),
    '# Access page at idx: 1. Total num pages: 2 (access other pages: xattr~<page_num>, starting  with 0; number of pages available: xattr~?)\nb\n',
  );
  t.is(
    at(undefined, true),
    'Access xattr with xattr~<page_num> (machine-readable mode) or  xattr@<page_num> (human-readable mode).\nPages available: 2',
  );
  t.regex(at(2, true)!, /no page 2/);
});

test('long values go on in further pages, each with its header, nothing lost', async (t) => {
  const count = 2000;
  const chunks = Array.from({ length: count }, (_, i) => insertChunk('/long', i * 3, 3)).join('');
  const rows = [{ path: '/long', flags: 4 | FLAG_CHUNKED, size: count * 3 }];
  const { operations } = madeFileSystem({ rows, after: chunks });
  const pages = Number((await read(operations, '/long', 'user.chunk_list~?')).replace('num_pages, ', ''));
  t.true(pages > 1);
  const lines: string[] = [];
  for (let page = 0; page < pages; page++) {
    const text = await read(operations, '/long', `user.chunk_list~${page}`);
    t.true(text.length <= PAGE_LENGTH && text.startsWith('hash,offset,size\n'));
    lines.push(...text.trimEnd().split('\n').slice(1));
  }
  t.deepEqual(
    lines,
    Array.from({ length: count }, (_, i) => `${CHUNK},${i * 3},3`),
  );
  const node = await nodeAt(operations, '/long');
  t.is(
    errnoOf(() => operations.getxattr(node, `user.chunk_list~${pages}`, CALLER)),
    ENODATA,
  );
  t.deepEqual(paginate([]), []);
});

test('magic attributes are listed on the root only, never, or on all that have them; each once, in order', async (t) => {
  for (const visibility of ['rootonly', 'never', 'always'] as const) {
    const { operations } = sample({ rules: { ...DEFAULT_RULES, visibility } });
    const names = async (path: string) => operations.listxattr(await nodeAt(operations, path));
    const root = await names('/');
    t.is(root.includes('user.revision'), visibility !== 'never');
    t.false(root.includes('user.chunks'));
    t.deepEqual(root, [...new Set(root)].sort());
    const file = await names('/file');
    t.is(file.includes('user.chunks'), visibility === 'always');
    t.false(file.includes('xfsroot.rawlink') || file.includes('user.external_url'));
    t.is((await names('/link')).includes('xfsroot.rawlink'), visibility === 'always');
    t.is(await read(operations, '/file', 'user.chunks'), '1', 'by name it can be read anyway');
  }
});

test('every attribute of the reference is there', (t) => {
  const names =
    'authz bundle_trigger catalog_counters chunk_list chunks compression direct_io expires external_file external_host external_timeout external_url fqrn hash hitrate host host_list inode_max lhash logbuffer maxfd ncleanup24 nclg ndiropen ndownload nioerr nopen pid proxy proxy_list proxy_list_external pubkeys rawlink repo_counters repo_metainfo revision root_hash rx speed tag timeout timeout_direct timestamp_last_ioerr uptime usedfd useddirp version';
  t.deepEqual([...MAGIC.keys()], [...names.split(' ').map((name) => `user.${name}`), 'xfsroot.rawlink'].sort());
});

test('protected attributes are for the callers of privileged groups, whichever way they are named', async (t) => {
  const xattr = Buffer.concat([Buffer.of(1, 1, 11, 3), Buffer.from('user.secretabc')]);
  const rules = {
    ...DEFAULT_RULES,
    protectedNames: new Set(['user.host', 'user.secret']),
    privilegedGroups: new Set([0, 77]),
  };
  const { operations } = madeFileSystem({ rows: [{ path: '/file', xattr }] }, { rules });
  const node = await nodeAt(operations, '/file');
  for (const name of ['user.host', 'user.host~0', 'user.host@?', 'user.secret', 'user.secret~0']) {
    const by = (gid: number) => errnoOf(() => operations.getxattr(node, name, { ...CALLER, gid }));
    t.is(by(CALLER.gid), ENODATA, name);
    t.is(by(77), 0, name);
    t.is(by(0), 0, name);
  }
  t.is(
    errnoOf(() => operations.getxattr(node, 'user.fqrn', CALLER)),
    0,
  );
});

test('a published attribute is read by its name and with a page, also when its name looks like one', async (t) => {
  const list = (entries: [string, string][]) =>
    Buffer.concat([
      Buffer.of(1, entries.length),
      ...entries.map(([key, value]) => Buffer.from(String.fromCharCode(key.length, value.length) + key + value)),
    ]);
  const xattr = list([
    ['user.a', '1'],
    ['user.a~b', '2'],
    ['user.host', 'hidden'],
  ]);
  const { operations } = madeFileSystem({ rows: [{ path: '/file', xattr }] });
  t.is(await read(operations, '/file', 'user.a'), '1');
  t.is(await read(operations, '/file', 'user.a~0'), '1');
  t.is(await read(operations, '/file', 'user.a~b'), '2');
  t.is(await read(operations, '/file', 'user.host'), 'http://b/made.example.org');
});

test('df: blocks are the cache, inodes the entries', (t) => {
  const counted = (cache: object) => sample({ facts: { cache: () => ({ requests: 0, misses: 0, ...cache }) } });
  const shown = (cache: object) => {
    const { blocks, blocksFree, blockSize } = counted(cache).operations.statfs();
    return { blocks, blocksFree, blockSize };
  };
  t.deepEqual(shown({}), { blocks: 0, blocksFree: 0, blockSize: 512 });
  t.deepEqual(shown({ used: 1024, capacity: 10_240 }), { blocks: 20, blocksFree: 18, blockSize: 512 });
  t.deepEqual(shown({ used: 1024 }), { blocks: 2, blocksFree: 0, blockSize: 512 });
  t.deepEqual(shown({ used: 20_000, capacity: 10_240 }), { blocks: 20, blocksFree: 0, blockSize: 512 });
  const { files, filesFree, nameLength } = counted({}).operations.statfs();
  // 6 files, a link, and the root directories of both catalogs; the nested one is not attached.
  t.deepEqual([files, filesFree, nameLength], [9, 3, 255]);
});
