import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { TestServer, type TestServerOptions } from '../support/http-server.ts';
import { makeCertificate } from '../support/server-certificate.ts';

const LIMIT = 1_000_000;

async function serve(t: ExecutionContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  t.teardown(() => server.close());
  return server;
}

async function serveContent(t: ExecutionContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await serve(t, options);
  server.fault(/./, { body: 'content' });
  return server;
}

function download(t: ExecutionContext, servers: readonly string[], settings: Partial<DownloadSettings>): Downloader {
  const quick = { timeout: 5, timeoutDirect: 5, backoffInit: 0.02, backoffMax: 0.05 };
  const downloader = new Downloader({ ...quick, ...settings, servers });
  t.teardown(() => downloader.close());
  return downloader;
}

async function content(downloader: Downloader, path = '/x'): Promise<string> {
  return (await downloader.file(path, LIMIT)).toString();
}

test('a request through a proxy names the whole URL, and the connection to the proxy is kept', async (t) => {
  const [server, proxy] = [await serveContent(t), await serve(t)];
  const downloader = download(t, [`${server.url}/base`], { proxies: proxy.url.replace('//', '//me:secret@') });
  t.is(await content(downloader), 'content');
  t.is(await content(downloader, '/y z'), 'content');
  t.deepEqual(
    proxy.requests.map((request) => request.target),
    [`${server.url}/base/x`, `${server.url}/base/y%20z`],
  );
  t.is(proxy.connections, 1);
  t.is(proxy.requests[0].headers['proxy-authorization'], `Basic ${Buffer.from('me:secret').toString('base64')}`);
  t.is(proxy.requests[0].headers.host, server.url.slice('http://'.length));
  t.is(downloader.status().proxy, proxy.url);
});

test('a proxy that fails: another one of its group, then the next group, then directly', async (t) => {
  const server = await serveContent(t);
  const proxies = await Promise.all([serve(t), serve(t), serve(t)]);
  const [a, b, c] = proxies;
  for (const proxy of proxies) proxy.fault(/./, { reset: true });
  const settings = { proxies: `${a.url}|${b.url};${c.url};DIRECT`, maxRetries: 0 };
  const downloader = download(t, [server.url], settings);
  t.is(await content(downloader), 'content');
  t.deepEqual(
    proxies.map((proxy) => proxy.requests.length),
    [1, 1, 1],
  );
  t.is(downloader.status().proxy, 'DIRECT');
  await content(downloader);
  t.deepEqual(
    proxies.map((proxy) => proxy.requests.length),
    [1, 1, 1],
    'remembered',
  );
});

test('a proxy that says nothing is left within its time-out', async (t) => {
  const [server, proxy] = [await serveContent(t), await serve(t)];
  proxy.fault(/./, { hang: true });
  const start = performance.now();
  const downloader = download(t, [server.url], { proxies: `${proxy.url};DIRECT`, timeout: 0.3 });
  t.is(await content(downloader), 'content');
  t.true(performance.now() - start < 3000);
});

test('a proxy that cannot reach the server says so itself: the next proxy', async (t) => {
  const [server, a, b] = [await serveContent(t), await serve(t), await serve(t)];
  a.fault(/./, { status: 503, headers: { 'x-squid-error': 'ERR_CONNECT_FAIL 111' } });
  const downloader = download(t, [server.url], { proxies: `${a.url};${b.url}` });
  t.is(await content(downloader), 'content');
  t.is(downloader.status().proxy, b.url);
});

test('a proxy that forbids is left, a server that lacks the file behind a proxy is too', async (t) => {
  const [one, two, a, b] = [await serveContent(t), await serveContent(t), await serve(t), await serve(t)];
  one.fault(/missing/, { status: 404 });
  a.fault(/x/, { status: 403 });
  const downloader = download(t, [one.url, two.url], { proxies: `${a.url};${b.url}` });
  t.is(await content(downloader, '/x'), 'content');
  t.is(downloader.status().proxy, b.url);
  t.is(downloader.status().server, one.url);
  t.is(await content(downloader, '/missing'), 'content');
  t.is(downloader.status().server, two.url);
  t.is(downloader.status().proxy, b.url);
});

test('all proxies fail for the first server: they are tried again for the second', async (t) => {
  const [one, two, proxy] = [await serveContent(t), await serveContent(t), await serve(t)];
  const gate = `http://127.0.0.1:${one.port}`;
  proxy.fault(/./, { status: 502, headers: { 'x-squid-error': 'ERR' } }, 1);
  const downloader = download(t, [gate, two.url], { proxies: proxy.url });
  t.is(await content(downloader), 'content');
  t.is(downloader.status().server, two.url);
});

test('all proxies are down: the error names them and what to check', async (t) => {
  const [server, proxy] = [await serveContent(t), await serve(t)];
  proxy.fault(/./, { reset: true });
  const error = await t.throwsAsync(content(download(t, [server.url], { proxies: proxy.url })));
  t.true(error?.message.includes(`${server.url} through ${proxy.url}: proxy: connection reset`), error?.message);
  t.regex(error?.message ?? '', /CVMFS_HTTP_PROXY/);
});

test('https: trusted with its authority, refused without', async (t) => {
  const tls = makeCertificate(t);
  const server = await serveContent(t, { tls });
  const trusting = download(t, [server.url], { authorities: () => [tls.cert] });
  t.is(await content(trusting), 'content');
  t.is(await content(trusting, '/y'), 'content');
  t.is(server.connections, 1);
  await t.throwsAsync(content(download(t, [server.url], { authorities: () => [] })), {
    message: /self-signed certificate/,
    code: 'HOST_CONNECTION',
  });
});

test('https: a certificate for another name is refused', async (t) => {
  const tls = makeCertificate(t);
  const server = await serveContent(t, { tls });
  const url = `https://localhost:${server.port}`;
  await t.throwsAsync(content(download(t, [url], { authorities: () => [tls.cert] })), { code: 'HOST_CONNECTION' });
});

test('https through a proxy goes through a tunnel, which is kept', async (t) => {
  const tls = makeCertificate(t);
  const [server, proxy] = [await serveContent(t, { tls }), await serve(t)];
  const downloader = download(t, [server.url], { proxies: proxy.url, authorities: () => [tls.cert] });
  t.is(await content(downloader), 'content');
  t.is(await content(downloader, '/y'), 'content');
  t.deepEqual(
    proxy.requests.map(({ method, target }) => `${method} ${target}`),
    [`CONNECT 127.0.0.1:${server.port}`],
  );
  t.deepEqual(server.paths(), ['/x', '/y']);
});

test('https with a member’s certificate that is none: an error, also behind a tunnel and with all connections in use', async (t) => {
  const tls = makeCertificate(t);
  const [server, proxy] = [await serveContent(t, { tls }), await serve(t)];
  for (const proxies of ['DIRECT', proxy.url]) {
    const downloader = download(t, [server.url], {
      proxies,
      maxConnections: 1,
      authorities: () => [tls.cert],
      credential: () => ({ certificate: '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n' }),
    });
    const results = await Promise.allSettled([1, 2, 3].map(() => content(downloader)));
    t.deepEqual(
      results.map((result) => result.status === 'rejected' && result.reason.code),
      ['HOST_CONNECTION', 'HOST_CONNECTION', 'HOST_CONNECTION'],
    );
  }
  t.deepEqual(server.paths(), []);
});

test('https through a proxy that refuses or hangs: the next proxy', async (t) => {
  const tls = makeCertificate(t);
  const [server, refusing, hanging] = [await serveContent(t, { tls }), await serve(t), await serve(t)];
  refusing.fault(/./, { status: 403 });
  hanging.fault(/./, { hang: true });
  const settings = { proxies: `${refusing.url};${hanging.url};DIRECT`, timeout: 0.3, authorities: () => [tls.cert] };
  const downloader = download(t, [server.url], settings);
  t.is(await content(downloader), 'content');
  t.is(downloader.status().proxy, 'DIRECT');
});

test('https through a proxy: an untrusted server is the server’s failure', async (t) => {
  const tls = makeCertificate(t);
  const [server, good, proxy] = [await serveContent(t, { tls }), await serveContent(t), await serve(t)];
  const downloader = download(t, [server.url, good.url], { proxies: proxy.url, authorities: () => [] });
  t.is(await content(downloader), 'content');
  t.is(downloader.status().server, good.url);
});
