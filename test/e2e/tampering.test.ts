// Whatever is wrong with what a server delivers, it is refused, one test per place; and when another server has it right,
// nothing is seen of that.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Fault, TestServer } from '../support/http-server.ts';
import { makeTestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';
import { CHUNKED, makeTamperable, resign, type Tamperable } from '../support/tamperable-repository.ts';

const FQRN = 'tamper.example.org';
const MANIFEST = /\.cvmfspublished$/;
const WHITELIST = /\.cvmfswhitelist$/;

const place = new Installation();
let sound: Tamperable;
let good: TestServer;

test.before(async () => {
  sound = await makeTamperable();
  good = await TestServer.start({ root: sound.repository.serverRoot });
});

test.after.always(async () => {
  await good?.close();
  await place.close();
  sound?.repository.remove();
});

type Settings = Readonly<Record<string, string>>;
type Faults = (sound: Tamperable) => readonly (readonly [RegExp, Fault])[];

/** Runs `script` in the root of the mount. */
function run(urls: readonly string[], script: string, keys = sound.repository.clientKeys, more: Settings = {}) {
  const servers = urls.map((url) => `${url}/@fqrn@`).join(';');
  return place.run({
    repositories: [FQRN],
    parameters: { SERVER_URL: servers, KEYS_DIR: keys, BACKOFF_INIT: '0', BACKOFF_MAX: '1', ...more },
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
  });
}

async function faulty(t: ExecutionContext, faults: Faults, root = sound.repository.serverRoot): Promise<TestServer> {
  const server = await TestServer.start({ root });
  t.teardown(() => server.close());
  for (const [pattern, fault] of faults(sound)) server.fault(pattern, fault);
  return server;
}

const READ_ALL = 'cat plain other nested/file; sha256sum <chunked; ls';

/** What the good server alone gives. */
let soundOutput: string | undefined;

/** With the good server behind the one that is faulty, all is read as from the good server alone. */
async function withGoodServer(t: ExecutionContext, bad: TestServer): Promise<void> {
  if (soundOutput === undefined) {
    const alone = await run([good.url], READ_ALL);
    t.is(alone.stderr, '');
    t.regex(alone.stdout, /^plain[\s\S]*other[\s\S]*nested[\s\S]*chunked/);
    soundOutput = alone.stdout;
  }
  const both = await run([bad.url, good.url], READ_ALL);
  t.is(both.stdout, soundOutput, both.stderr);
  t.is(both.exitCode, 0);
}

/** Nothing is mounted, and one line says why and what to do. */
async function refused(t: ExecutionContext, urls: readonly string[], reason: RegExp, keys?: string): Promise<void> {
  const { exitCode, stdout, stderr } = await run(urls, 'echo ran', keys);
  t.is(stdout, '');
  t.regex(stderr, /^cvmfsexec: cannot mount tamper\.example\.org: [^\n]+\n$/);
  t.regex(stderr, reason);
  t.is(exitCode, 125);
}

const edit = (content: Buffer, from: RegExp, to: string): Buffer =>
  Buffer.from(content.toString('latin1').replace(from, to), 'latin1');

const FATAL: Readonly<Record<string, { readonly faults: Faults; readonly reason: RegExp }>> = {
  'the text of the manifest': {
    faults: ({ manifest }) => [[MANIFEST, { body: edit(manifest, /^S\d+$/m, 'S9') }]],
    reason: /the manifest is damaged: the text does not have the hash/,
  },
  'the signature of the manifest': {
    faults: ({ manifest }) => [[MANIFEST, { corrupt: manifest.length - 1 }]],
    reason: /signature of the manifest was not made with the key/,
  },
  'the text of the whitelist': {
    faults: ({ whitelist }) => [[WHITELIST, { body: edit(whitelist, /^E\d{4}/m, 'E2099') }]],
    reason: /the whitelist of tamper.example.org is damaged: the text does not have the hash/,
  },
  'the signature of the whitelist': {
    faults: ({ whitelist }) => [[WHITELIST, { corrupt: whitelist.length - 1 }]],
    reason: /not signed with any of the 1 master keys: check CVMFS_PUBLIC_KEY and CVMFS_KEYS_DIR/,
  },
  'the date of the whitelist, which has expired': {
    faults: ({ expiredWhitelist }) => [[WHITELIST, { body: expiredWhitelist }]],
    reason: /the whitelist of tamper.example.org expired on \d{4}-.* its owner has to renew it/,
  },
  'the certificate': {
    faults: ({ objects }) => [[objects.certificate, { corrupt: 100 }]],
    reason: /the certificate cannot be loaded: .*has another hash/,
  },
  'the root catalog': {
    faults: ({ objects }) => [[objects.rootCatalog, { corrupt: 100 }]],
    reason: /root file catalog: .*has another hash/,
  },
  'the root catalog, which is missing': {
    faults: ({ objects }) => [[objects.rootCatalog, { status: 404 }]],
    reason: /root file catalog: .*404/,
  },
  'all answers, which are empty': {
    faults: () => [[/./, { body: '' }]],
    reason: /the manifest is damaged|manifest/,
  },
  'the length of the root catalog, which is cut off': {
    faults: ({ objects }) => [[objects.rootCatalog, { truncate: 200 }]],
    reason: /root file catalog/,
  },
};

for (const [where, { faults, reason }] of Object.entries(FATAL)) {
  test.serial(`something wrong with ${where}: nothing is mounted, unless another server has it right`, async (t) => {
    const bad = await faulty(t, faults);
    await refused(t, [bad.url], reason);
    await withGoodServer(t, bad);
  });
}

/** What cannot be read gives EIO, with the reason on stderr. */
const ON_READING: Readonly<
  Record<string, { readonly faults: Faults; readonly file: string; readonly reason: RegExp }>
> = {
  'a nested catalog': {
    faults: ({ objects }) => [[objects.nestedCatalog, { corrupt: 50 }]],
    file: 'nested/file',
    reason: /file catalog at \/nested: .*has another hash/,
  },
  'a nested catalog, which is missing': {
    faults: ({ objects }) => [[objects.nestedCatalog, { status: 404 }]],
    file: 'nested/file',
    reason: /file catalog at \/nested: .*404/,
  },
  'a file': {
    faults: ({ objects }) => [[objects.plain, { corrupt: 10 }]],
    file: 'plain',
    reason: /cannot download \/plain: .*has another hash/,
  },
  'the length of a file, which is cut off': {
    faults: ({ objects }) => [[objects.plain, { body: Buffer.from([0x78, 0x9c, 3, 0, 0, 0, 0, 1]) }]],
    file: 'plain',
    reason: /cannot download \/plain: /,
  },
  'the transfer of a file, which is cut off': {
    faults: ({ objects }) => [[objects.plain, { truncate: 10 }]],
    file: 'plain',
    reason: /cannot download \/plain: /,
  },
  'a file, which is missing': {
    faults: ({ objects }) => [[objects.plain, { status: 404 }]],
    file: 'plain',
    reason: /cannot download \/plain: .*404/,
  },
};

for (const [where, { faults, file, reason }] of Object.entries(ON_READING)) {
  test.serial(`something wrong with ${where}: EIO for it alone, unless another server has it right`, async (t) => {
    const bad = await faulty(t, faults);
    await onlyThisFails(t, bad, file, reason);
    await withGoodServer(t, bad);
  });
}

async function onlyThisFails(t: ExecutionContext, server: TestServer, file: string, reason: RegExp): Promise<void> {
  const rest = ['plain', 'other', 'nested/file'].filter((name) => name !== file);
  const { stdout, stderr, exitCode } = await run([server.url], `cat ${file}; echo "= $?"; cat ${rest.join(' ')}; ls`);
  t.regex(stdout, new RegExp(`^= 1\n${rest.map((name) => `(${name.replace(/\/.*/, '')} content\n)+`).join('')}`));
  t.regex(stdout, /\nchunked\nnested\nother\nplain\n$/);
  t.true(stderr.includes(`cat: ${file}: Input/output error\n`), stderr);
  t.regex(stderr, /^cvmfsexec: tamper\.example\.org: [^\n]+\ncat: [^\n]+\n$/);
  t.regex(stderr, reason);
  t.is(exitCode, 0);
}

/** Prints for each page that is read what it holds, or the error code. */
const READ_PAGES = `
const fs = require('node:fs');
const fd = fs.openSync('chunked');
const page = Buffer.alloc(4096);
for (let at = 0; at < fs.fstatSync(fd).size; at += 4096) {
  try {
    console.log(page.subarray(0, fs.readSync(fd, page, 0, 4096, at)).toString('base64'));
  } catch (error) {
    console.log(error.code);
  }
}`;

test.serial('something wrong with a chunk: EIO where it is and nowhere else', async (t) => {
  const bad = await faulty(t, ({ objects }) => [[objects.chunk, { corrupt: 1000 }]]);
  const { stdout, stderr } = await run([bad.url], `'${place.node}' -e "${READ_PAGES}"`);
  const { offset, size } = sound.chunks[2];
  const expected: string[] = [];
  for (let at = 0; at < CHUNKED.length; at += 4096) {
    const spoiled = at < offset + size && at + 4096 > offset;
    expected.push(spoiled ? 'EIO' : CHUNKED.subarray(at, at + 4096).toString('base64'));
  }
  t.deepEqual(stdout.split('\n').slice(0, -1), expected);
  t.true(expected.includes('EIO'));
  t.regex(stderr, /^cvmfsexec: tamper\.example\.org: cannot download \/chunked: [^\n]*has another hash[^\n]*\n$/);
  await withGoodServer(t, bad);
});

async function resigned(t: ExecutionContext, ...changes: [string, Parameters<typeof resign>[3]?]): Promise<TestServer> {
  const root = place.newPath();
  mkdirSync(root);
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  await resign(sound, root, ...changes);
  return faulty(t, () => [], root);
}

for (const [what, change] of [
  ['smaller', '- 1'],
  ['larger', '+ 1'],
]) {
  test.serial(`a file that is ${what} than its signed catalog says: EIO for it alone`, async (t) => {
    const bad = await resigned(t, `UPDATE catalog SET size = size ${change} WHERE name = 'plain'`);
    await onlyThisFails(t, bad, 'plain', /cannot download \/plain: .*bytes where \d+ are expected/);
  });

  test.serial(`a nested catalog that is ${what} than the signed one says: EIO for it alone`, async (t) => {
    const bad = await resigned(t, `UPDATE nested_catalogs SET size = size ${change}`);
    await onlyThisFails(t, bad, 'nested/file', /file catalog at \/nested: .*bytes where \d+ are expected/);
  });

  test.serial(`a root catalog that is ${what} than the signed manifest says: nothing is mounted`, async (t) => {
    const bad = await resigned(t, '', ({ rootSize }) => ({ rootSize: rootSize + (change === '- 1' ? -1 : 1) }));
    await refused(t, [bad.url], /root file catalog: .*bytes where \d+ are expected/);
  });
}

test.serial('chunks that do not add up: EIO for that file alone', async (t) => {
  const bad = await resigned(t, 'DELETE FROM chunks WHERE offset = (SELECT min(offset) FROM chunks WHERE offset > 0)');
  await onlyThisFails(t, bad, 'chunked', /the chunks of chunked do not make up the file/);
});

test.serial('a repository of the same name, signed by others: nothing is mounted', async (t) => {
  const other = await makeTestRepository({ fqrn: FQRN, writeTree: () => {}, xattrs: new Map() });
  t.teardown(other.remove);
  const all = await faulty(t, () => [], other.serverRoot);
  await refused(t, [all.url], /not signed with any of the 1 master keys: check CVMFS_PUBLIC_KEY and CVMFS_KEYS_DIR/);
  await withGoodServer(t, all);
  const rightWhitelist = await faulty(t, ({ whitelist }) => [[WHITELIST, { body: whitelist }]], other.serverRoot);
  await refused(t, [rightWhitelist.url], /the certificate that signed .* is not listed in the repository's whitelist/);
});

test.serial('a manifest of another repository: nothing is mounted, unless another server has it right', async (t) => {
  const other = await makeTestRepository({ fqrn: 'other.example.org', writeTree: () => {}, xattrs: new Map() });
  t.teardown(other.remove);
  const bad = await faulty(t, () => []);
  bad.fault(MANIFEST, { body: readFileSync(join(other.directory, '.cvmfspublished')) });
  await refused(t, [bad.url], /manifest is of the repository 'other.example.org'.*check CVMFS_SERVER_URL/);
  await withGoodServer(t, bad);
});

test.serial('a master key that did not sign: nothing is mounted, whatever the servers', async (t) => {
  const other = await makeTestRepository({ fqrn: FQRN, writeTree: () => {}, xattrs: new Map(), publish: false });
  t.teardown(other.remove);
  const reason = /not signed with any of the 1 master keys: check CVMFS_PUBLIC_KEY and CVMFS_KEYS_DIR/;
  await refused(t, [good.url], reason, other.clientKeys);
});

test.serial('a manifest that is older than one seen before is not followed', async (t) => {
  const writeTree = (directory: string) => writeFileSync(join(directory, 'file'), 'old');
  const repository = await makeTestRepository({ fqrn: FQRN, writeTree, xattrs: new Map() });
  t.teardown(repository.remove);
  const server = await faulty(t, () => [], repository.serverRoot);
  const old = readFileSync(join(repository.directory, '.cvmfspublished'));
  writeFileSync(join(repository.tree, 'file'), 'new');
  await repository.publish();
  const cache = { CACHE_BASE: place.newPath() };
  t.is((await run([server.url], 'cat file', repository.clientKeys, cache)).stdout, 'new');
  server.fault(MANIFEST, { body: old });
  rmSync(join(cache.CACHE_BASE, 'shared', `cvmfsverified.${FQRN}`)); // else no server is asked within the TTL
  const { stdout, stderr } = await run([server.url], 'cat file', repository.clientKeys, cache);
  t.is(stdout, 'new');
  t.regex(stderr, /^cvmfsexec: [^\n]*using revision \d from the cache: [^\n]*server is behind\n$/);
  // Nor does what the cache still has of it come back when nobody answers.
  server.fault(/./, { reset: true });
  t.is((await run([server.url], 'cat file', repository.clientKeys, cache)).stdout, 'new');
});
