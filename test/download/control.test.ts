// What people can see of a downloader, and change while it is in use.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import { probeServers, reachOfAll } from '../../src/download/probe.ts';
import { parseTracingHeaders, userAgent } from '../../src/download/request-headers.ts';
import { DIRECT } from '../../src/download/sender.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { TestServer } from '../support/http-server.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

async function serve(t: ExecutionContext, port = 0, address = '127.0.0.1'): Promise<TestServer> {
  const server = await TestServer.start({}, port, address);
  t.teardown(() => server.close());
  server.fault(/./, { body: 'content' });
  return server;
}

function download(
  t: ExecutionContext,
  servers: readonly string[],
  settings: Partial<DownloadSettings> = {},
): Downloader {
  const downloader = new Downloader({ timeout: 5, timeoutDirect: 5, maxRetries: 0, ...settings, servers });
  t.teardown(() => downloader.close());
  return downloader;
}

const content = async (downloader: Downloader, path = '/x') => (await downloader.file(path, 1000)).toString();

test('counters: what came, what failed, and the ways that were left', async (t) => {
  const [a, b, proxy] = [await serve(t), await serve(t), await serve(t)];
  proxy.clearFaults();
  a.fault(/./, { status: 500 }, 1);
  // One of them is taken for a connection that had been idle too long.
  proxy.fault(/reset/, { reset: true }, 3);
  const downloader = download(t, [a.url, b.url], {
    proxies: `${proxy.url};DIRECT`,
    maxRetries: 1,
    backoffInit: 0,
    proxyResetAfter: 0,
  });
  await content(downloader);
  await content(downloader, '/reset');
  b.fault(/gone/, { status: 404 });
  a.fault(/gone/, { status: 404 });
  await t.throwsAsync(content(downloader, '/gone'));
  t.like(downloader.status().counters, {
    bytes: 14,
    transfers: 2,
    failures: 1,
    retries: 1,
    hostSwitches: 2,
    proxySwitches: 1,
  });
  t.true(downloader.counters().milliseconds > 0);
  downloader.resetCounters();
  t.like(downloader.counters(), { bytes: 0, transfers: 0, milliseconds: 0 });
});

test('probing sorts the servers by how fast they answer; those that are down come last', async (t) => {
  const [slow, fast, down] = [await serve(t), await serve(t), await serve(t)];
  slow.latency = 300;
  down.fault(/./, { status: 503 });
  const downloader = download(t, [down.url, slow.url, fast.url]);
  t.deepEqual(
    downloader.status().serverList.map(({ distance, active }) => [distance, active]),
    [
      ['unprobed', true],
      ['unprobed', false],
      ['unprobed', false],
    ],
  );
  await probeServers(downloader);
  const { server, serverList } = downloader.status();
  t.is(server, fast.url);
  t.deepEqual(
    serverList.map(({ url }) => url),
    [fast.url, slow.url, down.url],
  );
  const [first, second, third] = serverList.map(({ distance }) => distance);
  t.true(typeof first === 'number' && typeof second === 'number' && first < second && second >= 300);
  t.is(third, 'down');
});

test('each server through each proxy: how long it takes, or why not', async (t) => {
  const [server, proxy, broken] = [await serve(t), await serve(t), await serve(t)];
  proxy.clearFaults();
  broken.fault(/./, { reset: true });
  const downloader = download(t, [server.url, 'file:///no/such/place'], { proxies: `${proxy.url}|${broken.url}` });
  const reach = await reachOfAll(downloader);
  t.deepEqual(
    reach.map((one) => [one.server, one.proxy, one.milliseconds !== undefined]),
    [
      [server.url, proxy.url, true],
      [server.url, broken.url, false],
      ['file:///no/such/place', 'DIRECT', false],
    ],
  );
  t.regex(reach[1].failure ?? '', /connection reset/);
  t.regex(reach[2].failure ?? '', /no such file/);
});

test('what has to be there in time is given up, though it comes steadily', async (t) => {
  const server = await serve(t);
  server.fault(/body/, { body: 'x'.repeat(1e6), dribble: { bytes: 4096, every: 20 } });
  server.fault(/head/, { delay: 600, body: 'content' });
  const downloader = download(t, [server.url]);
  const attempt = { server: downloader.servers.servers[0], proxy: DIRECT };
  for (const path of ['/body', '/head']) {
    await t.throwsAsync(downloader.sender.fetch(path, 2e6, attempt, 0.3), {
      code: 'HOST_TOO_SLOW',
      message: /not complete within 0\.3 s/,
    });
  }
  t.is(String(await downloader.sender.fetch('/x', 100, attempt, 30)), 'content');
});

test('other servers, proxies and time-outs take effect at once; what is no list changes nothing', async (t) => {
  const [a, b, proxy] = [await serve(t), await serve(t), await serve(t)];
  proxy.clearFaults();
  const downloader = download(t, [a.url]);
  await content(downloader);
  downloader.servers.replace([b.url]);
  downloader.proxies.setRegular(proxy.url);
  await content(downloader, '/2');
  t.deepEqual([a.paths(), b.paths(), proxy.paths()], [['/x'], ['/2'], ['/2']]);
  t.throws(() => downloader.servers.replace(['nonsense']), { code: 'BAD_URL' });
  t.throws(() => downloader.proxies.setRegular('http://a:x'), { code: 'BAD_URL' });
  t.throws(() => downloader.proxies.setRegular(''), { code: 'BAD_URL' });
  downloader.proxies.setFallback('127.0.0.1:1;127.0.0.2:1');
  t.like(downloader.status(), { firstFallback: 1, activeGroup: 0, proxy: proxy.url });
  downloader.switchProxyGroup();
  t.is(downloader.status().activeGroup, 1);
  downloader.proxies.setFallback('');
  t.is(downloader.status().firstFallback, undefined);
  downloader.sender.timeouts = { proxied: 0.2, direct: 0.2 };
  proxy.fault(/./, { hang: true });
  const begin = performance.now();
  await t.throwsAsync(content(downloader, '/3'), { code: 'PROXY_TOO_SLOW' });
  t.true(performance.now() - begin < 3000);
  t.deepEqual(downloader.status().timeouts, { proxied: 0.2, direct: 0.2 });
});

test('strictly also by hand: a list with a proxy loses its DIRECT', async (t) => {
  const server = await serve(t);
  const downloader = download(t, [server.url], { proxyStrict: true });
  downloader.proxies.setRegular('127.0.0.1:1;DIRECT');
  t.deepEqual(downloader.status().proxyGroups, [['http://127.0.0.1:1']]);
  await t.throwsAsync(content(downloader), { code: 'PROXY_CONNECTION' });
  t.deepEqual(server.requests, []);
});

test('servers and proxies by IPv6 address', async (t) => {
  const [server, proxy] = [await serve(t, 0, '::1'), await serve(t, 0, '::1')];
  proxy.clearFaults();
  t.regex(server.url, /^http:\/\/\[::1\]:\d+$/);
  t.is(await content(download(t, [server.url])), 'content');
  t.is(await content(download(t, [server.url], { proxies: proxy.url })), 'content');
  t.deepEqual(proxy.requests[0].target, `${server.url}/x`);
});

test('headers that tell who asks, and what sites add', async (t) => {
  const server = await serve(t);
  const lines: string[] = [];
  const tracing = parseTracingHeaders('site:CERN|bad|x-y:1|job: 42 |a:b:c', (line) => lines.push(line));
  t.is(lines.length, 3);
  const caller = { uid: 7, gid: 8, pid: 9 };
  await content(download(t, [server.url], { tracing, requester: () => caller, sendInfoHeader: true }), '/a b');
  t.like(server.requests[0].headers, {
    'x-cvmfs-pid': '9',
    'x-cvmfs-uid': '7',
    'x-cvmfs-gid': '8',
    'x-cvmfs-site': 'CERN',
    'x-cvmfs-job': '42',
    'cvmfs-info': 'a%20b',
  });
  await content(download(t, [server.url], { tracing: '' }));
  t.like(server.requests[1].headers, { 'x-cvmfs-pid': '-1', 'x-cvmfs-uid': '4294967295' });
  await content(download(t, [server.url]));
  t.false('x-cvmfs-pid' in server.requests[2].headers);
  t.is(
    parseTracingHeaders(`a:${'x'.repeat(1000)}`, () => {}),
    '',
  );
  t.is(userAgent({ CERNVM_UUID: 'ab-1\r\n2' }), 'cvmfs Fuse 2.12.0 ab-12');
});

test('a server that asks for a certificate is shown that of the member, on a connection of its own', async (t) => {
  const { key: keyText, cert: certText } = certificate(t);
  let connections = 0;
  const options = { key: keyText, cert: certText, ca: certText, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (request, response) => {
    const shown = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
    response.end(`${shown ?? 'nobody'} ${request.headers.authorization ?? 'no token'}`);
  }).on('secureConnection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credential = { certificate: certText + keyText, bearerToken: 'token' };
  let member = false;
  const downloader = download(t, [url], {
    authorities: () => [certText],
    credential: () => (member ? credential : undefined),
  });
  t.is(await content(downloader), 'nobody no token');
  t.is(await content(downloader), 'nobody no token');
  t.is(connections, 1);
  member = true;
  t.is(await content(downloader), '127.0.0.1 Bearer token');
  t.is(await content(downloader), '127.0.0.1 Bearer token');
  t.is(connections, 3);
  member = false;
  t.is(await content(downloader), 'nobody no token');
});

test('a token is not shown to the server that a redirect leads to', async (t) => {
  const tls = certificate(t);
  const [one, two] = [await TestServer.start({ tls }), await TestServer.start({ tls })];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  one.fault(/./, { status: 302, headers: { location: `${two.url}/y` } });
  two.fault(/./, { body: 'content' });
  const downloader = download(t, [one.url], {
    authorities: () => [tls.cert],
    credential: () => ({ bearerToken: 'secret' }),
    followRedirects: true,
  });
  t.is(await content(downloader), 'content');
  t.is(one.requests[0].headers.authorization, 'Bearer secret');
  t.is(two.requests[0].headers.authorization, undefined);
});

function certificate(t: ExecutionContext): { key: string; cert: string } {
  const directory = temporaryDirectory(t);
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-nodes'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject], { stdio: 'ignore' });
  return { key: readFileSync(key, 'latin1'), cert: readFileSync(cert, 'latin1') };
}
