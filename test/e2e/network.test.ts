// The network around a mount as sites have it: proxies that fail and come back, discovery, distant and slow servers.

import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DnsServer, type Records } from '../support/dns-server.ts';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository } from '../support/repository.ts';
import type { Launch, Outcome } from '../support/run-cvmfsexec.ts';
import { makeCertificate } from '../support/server-certificate.ts';
import { prepareSite } from '../support/site.ts';
import { resign, type Tamperable } from '../support/tamperable-repository.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'network.example.org';
const DATA = /\/data\//;
const FILES = 6;
const CHUNKED = pseudoRandom(200_000, 9);

const site = prepareSite(test, {
  fqrn: FQRN,
  writeTree(directory) {
    writeFileSync(join(directory, 'one'), 'one\n');
    writeFileSync(join(directory, 'chunked'), CHUNKED);
    // Not fetched ahead of their readers.
    for (let i = 0; i < FILES; i++) writeFileSync(join(directory, `large-${i}`), pseudoRandom(600_000, i));
  },
  publish: false,
  prepare: (repository) => repository.publish({ compression: 'none' }),
});
const { place } = site;

test.afterEach.always(() => {
  site.server?.clearFaults();
  if (site.server) site.server.requests.length = 0;
});

type Settings = Readonly<Record<string, string>>;

function run(script: string, settings: Settings = {}, more: Partial<Launch> = {}): Promise<Outcome> {
  return place.run({
    repositories: [FQRN],
    command: ['sh', '-c', script],
    ...more,
    parameters: {
      SERVER_URL: `${site.server.url}/@fqrn@`,
      KEYS_DIR: site.repository.clientKeys,
      BACKOFF_INIT: '0',
      MAX_RETRIES: '0',
      TIMEOUT: '5',
      TIMEOUT_DIRECT: '5',
      ...settings,
    },
  });
}

async function serve(t: ExecutionContext, root?: string, port = 0, address = '127.0.0.1'): Promise<TestServer> {
  const other = await TestServer.start(root === undefined ? {} : { root }, port, address);
  t.teardown(() => other.close());
  return other;
}

async function names(t: ExecutionContext, records: Readonly<Record<string, Records>>): Promise<Settings> {
  const dns = await DnsServer.start(records);
  t.teardown(() => dns.close());
  return { DNS_SERVER: dns.address, DNS_TIMEOUT: '1', DNS_RETRIES: '0' };
}

async function closedPort(): Promise<number> {
  const other = await TestServer.start();
  const { port } = other;
  await other.close();
  return port;
}

const READ = `cat /cvmfs/${FQRN}/one`;
const read = (i: number) => `cat /cvmfs/${FQRN}/large-${i} >/dev/null`;

/** What is noted of the network in a cache. */
function noteIn(cache: string): string {
  const found = readdirSync(cache, { recursive: true, encoding: 'utf8' }).find((name) =>
    /network\..*\.json$/.test(name),
  );
  if (!found) throw new Error(`nothing is noted in ${cache}`);
  return join(cache, found);
}

function makeOld(cache: string): void {
  const file = noteIn(cache);
  const text = readFileSync(file, 'utf8').replace(/"time":([\d.]+)/g, (_, time) => `"time":${Number(time) - 4000}`);
  writeFileSync(file, text);
  chmodSync(file, 0o666);
}

test.serial('a name server that says nothing: refused in bounded time, with the reason', async (t) => {
  const settings = { ...(await names(t, { 'slow.test': { hang: true } })), SERVER_URL: 'http://slow.test/@fqrn@' };
  const { exitCode, stderr, duration } = await run('echo ran', settings);
  t.is(exitCode, 125);
  t.regex(stderr, /^cvmfsexec: [^\n]*name server does not answer[^\n]*\n$/);
  t.true(duration < 20_000, `${duration} ms`);
});

for (const status of [400, 404]) {
  test.serial(`a server that answers ${status} to everything: the next one is used`, async (t) => {
    const bad = await serve(t);
    bad.fault(/./, { status });
    const { stdout, exitCode } = await run(READ, { SERVER_URL: `${bad.url}/@fqrn@;${site.server.url}/@fqrn@` });
    t.is(stdout, 'one\n');
    t.is(exitCode, 0);
  });
}

test.serial('a slow server is left for a faster one, and used where it is the only one', async (t) => {
  const slow = await serve(t, site.repository.serverRoot);
  slow.fault(DATA, { dribble: { bytes: 400, every: 100 } });
  const settings = { TIMEOUT_DIRECT: '1', LOW_SPEED_LIMIT: '5000' };
  const both = await run(READ, { ...settings, SERVER_URL: `${slow.url}/@fqrn@;${site.server.url}/@fqrn@` });
  t.is(both.stdout, 'one\n');
  t.regex(both.stderr, /switching from .*: less than 5000 bytes\/s for 1 s/);
  const alone = await run(READ, { ...settings, SERVER_URL: `${slow.url}/@fqrn@` });
  t.is(alone.stdout, 'one\n');
  t.regex(alone.stderr, /is slow, but all others fail: using it/);
});

test.serial(
  'proxies: in their order, past those that fail, and back to the first when its time has come',
  async (t) => {
    const [first, second, third] = [await serve(t), await serve(t), await serve(t)];
    for (const proxy of [first, second]) proxy.fault(/./, { reset: true });
    setTimeout(() => first.clearFaults(), 4000).unref();
    const { exitCode, stderr } = await run(`${read(0)} && sleep 7 && ${read(1)}`, {
      HTTP_PROXY: `${first.url};${second.url};${third.url}`,
      PROXY_RESET_AFTER: '5',
    });
    t.is(exitCode, 0, stderr);
    t.true(first.requests.length > 1 && second.requests.length > 0 && third.paths(DATA).length > 0);
    t.true(first.paths(DATA).length > 0, 'back at the first');
  },
);

test.serial('fallback proxies are used when all others have failed, and nothing is direct then', async (t) => {
  const fallback = await serve(t);
  const dead = `http://127.0.0.1:${await closedPort()}`;
  const { stdout } = await run(READ, { HTTP_PROXY: `${dead};DIRECT`, FALLBACK_PROXY: fallback.url });
  t.is(stdout, 'one\n');
  t.is(site.server.requests.length, fallback.requests.length);
});

test.serial('a proxy with two addresses of which one is dead', async (t) => {
  const alive = await serve(t);
  const dns = await names(t, { 'proxy.test': { v4: ['127.0.0.1', '127.0.0.9'] } });
  const { stdout, exitCode } = await run(READ, { ...dns, HTTP_PROXY: `http://proxy.test:${alive.port}` });
  t.is(stdout, 'one\n');
  t.is(exitCode, 0);
  t.is(site.server.requests.length, alive.requests.length);
});

test.serial('WPAD from a URL and from a file; the last answer serves when there is none', async (t) => {
  const [proxy, wpad] = [await serve(t), await serve(t)];
  const script = `function FindProxyForURL(url, host) { return "PROXY 127.0.0.1:${proxy.port}"; }`;
  wpad.fault(/./, { body: script });
  const cache = place.newPath();
  // However long it takes: beside DIRECT, and within short time-outs, a busy machine might go on without the answer.
  const patient = { HTTP_PROXY: 'auto', TIMEOUT: '60', TIMEOUT_DIRECT: '60' };
  const settings = { ...patient, CACHE_BASE: cache, PAC_URLS: `${wpad.url}/wpad.dat` };
  const first = await run(READ, settings);
  t.is(first.stdout, 'one\n', first.stderr);
  const seen = proxy.requests.length;
  t.true(seen > 0);
  await wpad.close();
  makeOld(cache);
  t.is((await run(read(0), settings)).exitCode, 0);
  t.true(proxy.requests.length > seen);
  t.is(site.server.requests.length, proxy.requests.length);

  const file = join(place.scratch, 'proxy.pac');
  writeFileSync(file, script);
  const fromFile = { ...patient, CACHE_BASE: place.newPath(), PAC_URLS: `file://${file}` };
  t.is((await run(READ, fromFile)).stdout, 'one\n');
  t.is(site.server.requests.length, proxy.requests.length);
});

test.serial('"auto;DIRECT" where nobody announces a proxy', async (t) => {
  const dns = await names(t, {});
  const { stdout, stderr } = await run(READ, { ...dns, HTTP_PROXY: 'auto;DIRECT', PAC_URLS: 'auto' });
  t.is(stdout, 'one\n');
  t.is(stderr, '');
});

test.serial(
  'strictly: without its proxy the launch is refused, and a running job gets EIO; nothing is direct',
  async (t) => {
    const dead = `http://127.0.0.1:${await closedPort()}`;
    const refused = await run('echo ran', { HTTP_PROXY: `${dead};DIRECT`, PROXY_STRICT: 'yes' });
    t.is(refused.exitCode, 125);
    t.is(refused.stdout, '');
    t.deepEqual(site.server.requests, []);
    const proxy = await serve(t);
    const wpad = await serve(t);
    wpad.fault(/./, { body: `function FindProxyForURL() { return "PROXY 127.0.0.1:${proxy.port}; DIRECT"; }` });
    proxy.fault(DATA, {}, 1);
    const job = run(`${READ} && sleep 4; ${read(1)}`, {
      HTTP_PROXY: 'auto;DIRECT',
      PAC_URLS: `${wpad.url}/wpad.dat`,
      PROXY_STRICT: 'yes',
    });
    for (let i = 0; i < 400 && proxy.paths(DATA).length < 3; i++) await sleep(50);
    await sleep(1000);
    proxy.fault(/./, { reset: true });
    const before = site.server.requests.length;
    const { stdout, stderr } = await job;
    t.is(stdout, 'one\n');
    t.regex(stderr, /Input\/output error/);
    t.is(site.server.requests.length, before);
  },
);

test.serial('redirects are followed where that is wanted', async (t) => {
  const redirecting = await new Promise<Server>((resolve) => {
    const made = createServer((request, response) => {
      response.writeHead(302, { location: `${site.server.url}${request.url}`, 'content-length': 0 }).end();
    });
    made.listen(0, '127.0.0.1', () => resolve(made));
  });
  t.teardown(() => redirecting.close());
  const settings = { SERVER_URL: `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/@fqrn@` };
  t.is((await run(READ, { ...settings, FOLLOW_REDIRECTS: 'yes' })).stdout, 'one\n');
  const refused = await run('echo ran', settings);
  t.is(refused.exitCode, 125);
  t.regex(refused.stderr, /HTTP 302/);
});

test.serial('the Geo-API: a client id in the cache, and the order is there at once for the next launch', async (t) => {
  const near = await serve(t, site.repository.serverRoot);
  for (const one of [site.server, near]) one.fault(/\/api\/v1\.0\/geo\//, { body: '2,1\n' });
  const cache = place.newPath();
  const settings = {
    CACHE_BASE: cache,
    USE_GEOAPI: 'yes',
    SERVER_URL: `http://127.0.0.1:${site.server.port}/@fqrn@;http://localhost:${near.port}/@fqrn@`,
  };
  t.is((await run(`sleep 2; ${READ}`, settings)).stdout, 'one\n');
  const asked = () => [...site.server.paths(/geo/), ...near.paths(/geo/)];
  t.is(asked().length, 1);
  const id = readFileSync(join(noteIn(cache), '../uuid'), 'latin1').trim();
  t.regex(asked()[0], new RegExp(`/api/v1\\.0/geo/${id}/127\\.0\\.0\\.1,localhost$`));
  site.server.requests.length = 0;
  near.requests.length = 0;
  t.is((await run(read(2), settings)).exitCode, 0);
  t.is(asked().length, 0);
  t.deepEqual(site.server.requests, []);
  t.true(near.paths(DATA).length > 0);
});

test.serial('a storm of requests for what cannot be had is slowed, and leaves nothing behind', async (t) => {
  site.server.fault(DATA, { status: 404 });
  // All that the mount itself needs.
  site.server.fault(/C$|X$|H$/, {});
  const storm = `end=$(($(date +%s) + 8)); n=0
    while [ $(date +%s) -lt $end ]; do cat /cvmfs/${FQRN}/large-$((n % ${FILES})) >/dev/null 2>&1; n=$((n + 1)); done; echo $n`;
  const job = run(`${storm}; until ${READ} 2>/dev/null; do sleep 1; done`);
  setTimeout(() => site.server.clearFaults(), 12_000).unref();
  const { stdout } = await job;
  const [count, content] = stdout.trim().split('\n');
  t.true(Number(count) > 1 && Number(count) < 40, `${count} attempts in 8 s`);
  t.is(content, 'one');
});

test.serial(
  'https: authorities of the system are trusted where CVMFS_USE_SSL_SYSTEM_CA says so, of the grid always',
  async (t) => {
    const tls = makeCertificate(t);
    const secure = await TestServer.start({ root: site.repository.serverRoot, tls });
    t.teardown(() => secure.close());
    const directory = place.newPath();
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    writeFileSync(join(directory, 'site.crt'), tls.cert);
    const settings = { SERVER_URL: `${secure.url}/@fqrn@` };
    // A machine with this one authority.
    const system = ['unshare', '-rm', 'sh', '-c', `mount --bind '${directory}' /etc/ssl/certs && exec "$@"`, 'sh'];
    const trusting = await run(READ, { ...settings, USE_SSL_SYSTEM_CA: 'yes' }, { wrapper: system });
    t.is(trusting.stdout, 'one\n', trusting.stderr);
    const without = await run(READ, settings, { wrapper: system });
    t.is(without.exitCode, 125);
    t.regex(without.stderr, /^cvmfsexec: [^\n]*self-signed certificate[^\n]*\n$/);
    const grid = await run(READ, settings, { env: { X509_CERT_DIR: directory } });
    t.is(grid.stdout, 'one\n', grid.stderr);
  },
);

test.serial('external data, chunk by chunk, from servers and through proxies of its own', async (t) => {
  const root = join(place.directory, 'external');
  mkdirSync(root);
  const sql = "UPDATE catalog SET flags = flags | 128 WHERE name IN ('chunked', 'one')";
  await resign({ repository: site.repository } as Tamperable, root, sql);
  rmSync(join(root, FQRN, 'chunked'), { force: true });
  const [resigned, external, proxy] = [await serve(t, root), await serve(t, site.repository.tree), await serve(t)];
  const { stdout, exitCode, stderr } = await run(`cat /cvmfs/${FQRN}/one; sha1sum </cvmfs/${FQRN}/chunked`, {
    SERVER_URL: `${resigned.url}/@fqrn@`,
    EXTERNAL_URL: external.url,
    EXTERNAL_HTTP_PROXY: proxy.url,
  });
  t.is(exitCode, 0, stderr);
  const { createHash } = await import('node:crypto');
  t.is(stdout, `one\n${createHash('sha1').update(CHUNKED).digest('hex')}  -\n`);
  const ranges = external.requests.filter(({ path }) => path === '/chunked').map(({ headers }) => headers.range);
  t.true(ranges.length > 1 && ranges.every((range) => /^bytes=\d+-\d+$/.test(range ?? '')), ranges.join());
  t.is(external.requests.length, proxy.requests.length);
  t.deepEqual(resigned.paths(/P$/), []);
});

test.serial('external data below names with every byte that a name can have', async (t) => {
  const root = join(place.directory, 'bytes');
  const bytes = Array.from({ length: 255 }, (_, i) => i + 1).filter((byte) => byte !== 0x2f && byte !== 0x2e);
  const named = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map(),
    writeTree(directory) {
      const below = (name: number[]) => Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
      for (const byte of bytes) {
        mkdirSync(below([byte]));
        writeFileSync(Buffer.concat([below([byte]), Buffer.from([0x2f, 0x78, byte])]), `${byte}\n`);
      }
    },
    publish: false,
  });
  t.teardown(() => named.remove());
  await named.publish({ compression: 'none' });
  await resign({ repository: named } as Tamperable, root, 'UPDATE catalog SET flags = flags | 128 WHERE flags & 4');
  const [resigned, external] = [await serve(t, root), await serve(t, named.tree)];
  const { stdout, stderr } = await run(`cd /cvmfs/${FQRN} && find . -type f -exec cat {} + | sort -n`, {
    SERVER_URL: `${resigned.url}/@fqrn@`,
    KEYS_DIR: named.clientKeys,
    EXTERNAL_URL: external.url,
  });
  t.is(stderr, '');
  t.deepEqual(stdout.trim().split('\n').map(Number), bytes);
  t.is(external.requests.length, bytes.length);
});

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
