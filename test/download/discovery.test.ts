import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import { pacUrls } from '../../src/download/proxy-discovery.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { DnsServer, type Records } from '../support/dns-server.ts';
import { TestServer } from '../support/http-server.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

interface Site {
  readonly server: TestServer;
  readonly proxy: TestServer;
  /** Serves /wpad.dat, which names the proxy. */
  readonly wpad: TestServer;
  readonly pacUrl: string;
  /** Keeps what was found out. */
  readonly state: string;
}

async function serve(t: ExecutionContext, body?: string): Promise<TestServer> {
  const server = await TestServer.start();
  t.teardown(() => server.close());
  if (body !== undefined) server.fault(/./, { body });
  return server;
}

const pac = (answer: string) => `function FindProxyForURL(url, host) { return '${answer}'; }`;

async function site(t: ExecutionContext): Promise<Site> {
  const [server, proxy] = [await serve(t, 'content'), await serve(t)];
  const wpad = await serve(t, pac(`PROXY 127.0.0.1:${proxy.port}; DIRECT`));
  return { server, proxy, wpad, pacUrl: `${wpad.url}/wpad.dat`, state: temporaryDirectory(t) };
}

function download(
  t: ExecutionContext,
  { server, state }: Pick<Site, 'server' | 'state'>,
  settings: Partial<DownloadSettings>,
): Downloader {
  const downloader = new Downloader({
    timeoutDirect: 10,
    maxRetries: 0,
    environment: {},
    proxies: 'auto;DIRECT',
    stateDirectory: state,
    ...settings,
    servers: [server.url],
  });
  t.teardown(() => downloader.close());
  return downloader;
}

async function content(downloader: Downloader, path = '/x'): Promise<string> {
  return (await downloader.file(path, 1000)).toString();
}

/** Makes what was found out older. */
function age(state: string, seconds: number): void {
  const file = join(state, 'network.repository.json');
  const notes = JSON.parse(readFileSync(file, 'utf8'));
  for (const note of Object.values(notes) as { time: number }[]) note.time -= seconds;
  writeFileSync(file, JSON.stringify(notes));
}

test.serial('the proxy that a PAC file names is used from the first request on', async (t) => {
  const one = await site(t);
  const downloader = download(t, one, { pacUrls: [one.pacUrl] });
  t.is(await content(downloader), 'content');
  t.deepEqual(one.proxy.paths(), ['/x']);
  t.deepEqual(downloader.status().proxyGroups, [[one.proxy.url], ['DIRECT'], ['DIRECT']]);
});

test.serial('a PAC file on disk, and one behind a URL that does not answer', async (t) => {
  const one = await site(t);
  const file = join(one.state, 'proxy.pac');
  writeFileSync(file, pac(`PROXY 127.0.0.1:${one.proxy.port}`));
  const dead = `http://127.0.0.1:${await closed()}/wpad.dat`;
  const urls = [`file://${one.state}/none.pac`, dead, `file://${file}`];
  t.is(await content(download(t, one, { pacUrls: urls, proxies: 'auto' })), 'content');
  t.deepEqual(one.proxy.paths(), ['/x']);
});

test.serial('the next start asks nobody as long as the answer is new', async (t) => {
  const one = await site(t);
  await content(download(t, one, { pacUrls: [one.pacUrl] }));
  await content(download(t, one, { pacUrls: [one.pacUrl] }));
  t.is(one.wpad.requests.length, 1);
  t.is(one.proxy.requests.length, 2);
  t.deepEqual(readdirSync(one.state), ['network.repository.json']);
});

test.serial('an older answer is used at once and renewed meanwhile', async (t) => {
  const one = await site(t);
  await content(download(t, one, { pacUrls: [one.pacUrl] }));
  age(one.state, 3600);
  one.wpad.clearFaults();
  const other = await serve(t);
  one.wpad.fault(/./, { body: pac(`PROXY 127.0.0.1:${other.port}`), delay: 300 });
  const downloader = download(t, one, { pacUrls: [one.pacUrl] });
  await content(downloader, '/1');
  t.deepEqual(one.proxy.paths(), ['/x', '/1']);
  for (let i = 0; i < 200 && downloader.status().proxy !== other.url; i++) await sleep(50);
  await content(downloader, '/2');
  t.deepEqual(other.paths(), ['/2']);
});

test.serial('no PAC server: the last answer is used, however old', async (t) => {
  const one = await site(t);
  await content(download(t, one, { pacUrls: [one.pacUrl], proxies: 'auto' }));
  age(one.state, 40 * 86_400);
  one.wpad.clearFaults();
  one.wpad.fault(/./, { status: 500 });
  const lines: string[] = [];
  const settings = { pacUrls: [one.pacUrl], proxies: 'auto', warn: (line: string) => lines.push(line) };
  t.is(await content(download(t, one, settings), '/y'), 'content');
  t.deepEqual(one.proxy.paths(), ['/x', '/y']);
  t.regex(lines.join('\n'), /wpad\.dat: HTTP 500; using the last answer/);
});

test.serial('an answer to other questions is none', async (t) => {
  const one = await site(t);
  await content(download(t, one, { pacUrls: [one.pacUrl] }));
  await content(download(t, one, { pacUrls: [`${one.wpad.url}/other.dat`] }));
  t.deepEqual(one.wpad.paths(), ['/wpad.dat', '/other.dat']);
});

test.serial('without a PAC server, "auto;DIRECT" goes directly, and hardly later', async (t) => {
  const one = await site(t);
  const dns = await names(t, {});
  const begin = performance.now();
  const downloader = download(t, one, { pacUrls: pacUrls('auto'), dns });
  t.is(await content(downloader), 'content');
  t.true(performance.now() - begin < 2000);
  t.is(downloader.status().proxy, 'DIRECT');
  // And this is known now.
  await content(download(t, one, { pacUrls: pacUrls('auto'), dns }));
});

test.serial('a name server that says nothing holds "auto;DIRECT" up for a moment only', async (t) => {
  const one = await site(t);
  const dns = await names(t, { wpad: { hang: true } });
  const begin = performance.now();
  t.is(await content(download(t, one, { pacUrls: pacUrls('auto'), dns: { ...dns, timeout: 15 } })), 'content');
  t.true(performance.now() - begin < 4000);
});

test.serial('"auto" alone without an answer is an error that says why', async (t) => {
  const one = await site(t);
  const dns = await names(t, {});
  one.wpad.clearFaults();
  one.wpad.fault(/./, { body: 'no script' });
  const settings = { proxies: 'auto', pacUrls: [one.pacUrl] };
  await t.throwsAsync(content(download(t, one, settings)), { code: 'BAD_URL', message: /wpad\.dat.*SyntaxError/ });
  await t.throwsAsync(content(download(t, one, { proxies: 'auto', pacUrls: pacUrls('auto'), dns })), {
    code: 'BAD_URL',
    message: /CVMFS_HTTP_PROXY/,
  });
  t.throws(() => download(t, one, { proxies: 'auto' }), { code: 'BAD_URL' });
  t.deepEqual(one.server.requests, []);
});

test.serial('strictly: no DIRECT beside a discovered proxy, nor where discovery failed', async (t) => {
  const one = await site(t);
  const strict = { proxyStrict: true, pacUrls: [one.pacUrl] };
  const downloader = download(t, one, strict);
  await content(downloader);
  t.deepEqual(downloader.status().proxyGroups, [[one.proxy.url]]);
  await one.proxy.close();
  await t.throwsAsync(content(downloader), { code: 'PROXY_CONNECTION' });
  rmSync(join(one.state, 'network.repository.json'));
  one.wpad.clearFaults();
  one.wpad.fault(/./, { status: 503 });
  await t.throwsAsync(content(download(t, one, strict)), { message: /HTTP 503.*CVMFS_PROXY_STRICT/ });
  // The proxy passed on one request; nothing came directly.
  t.is(one.server.requests.length, 1);
});

test.serial('strictly: where the site says DIRECT, or nobody is there to ask, no proxy was asked for', async (t) => {
  const one = await site(t);
  one.wpad.clearFaults();
  one.wpad.fault(/./, { body: pac('DIRECT') });
  t.is(await content(download(t, one, { proxyStrict: true, pacUrls: [one.pacUrl] })), 'content');
  const dns = await names(t, {});
  t.is(await content(download(t, one, { proxyStrict: true, pacUrls: pacUrls('auto'), dns })), 'content');
});

test.serial('the environment variable http_proxy comes first', async (t) => {
  const one = await site(t);
  const environment = { http_proxy: one.proxy.url };
  await content(download(t, one, { environment, pacUrls: [`${one.wpad.url}/wpad.dat`] }));
  t.deepEqual([one.proxy.paths(), one.wpad.paths()], [['/x'], []]);
});

test.serial('a damaged note is no note', async (t) => {
  const one = await site(t);
  await content(download(t, one, { pacUrls: [one.pacUrl] }));
  const file = join(one.state, 'network.repository.json');
  const good = readFileSync(file, 'utf8');
  for (const text of ['', '{', 'null', '[]', '{"proxies":1}', good.replace(/"answer":"[^"]*"/, '"answer":[1]')]) {
    writeFileSync(file, text);
    await content(download(t, one, { pacUrls: [one.pacUrl] }));
  }
  t.is(one.wpad.requests.length, 7);
  t.is(one.proxy.requests.length, 7);
});

async function names(t: ExecutionContext, records: Readonly<Record<string, Records>>) {
  const server = await DnsServer.start(records);
  t.teardown(() => server.close());
  const { DEFAULT_RESOLVER_SETTINGS } = await import('../../src/download/dns/resolver.ts');
  return {
    ...DEFAULT_RESOLVER_SETTINGS,
    server: server.address,
    retries: 0,
    environment: { HOST_ALIASES: '/dev/null' },
  };
}

async function closed(): Promise<number> {
  const server = await TestServer.start();
  const { port } = server;
  await server.close();
  return port;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
