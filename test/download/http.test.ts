import { createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import { MemorySink } from '../../src/download/memory-sink.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { TestServer } from '../support/http-server.ts';

const LIMIT = 1_000_000;

async function serve(t: ExecutionContext): Promise<TestServer> {
  const server = await TestServer.start();
  t.teardown(() => server.close());
  server.fault(/./, { body: 'content' });
  return server;
}

function download(
  t: ExecutionContext,
  servers: readonly string[],
  settings: Partial<DownloadSettings> = {},
): Downloader {
  const quick = { timeout: 10, timeoutDirect: 10, backoffInit: 0.02, backoffMax: 0.05 };
  const downloader = new Downloader({ ...quick, ...settings, servers });
  t.teardown(() => downloader.close());
  return downloader;
}

test('a request has the headers of the reference client and no others', async (t) => {
  const server = await serve(t);
  await download(t, [`${server.url}/cvmfs/a.b`]).file('/.cvmfspublished', LIMIT);
  t.is(server.requests[0].target, '/cvmfs/a.b/.cvmfspublished');
  t.deepEqual(server.requests[0].headers, {
    host: server.url.slice('http://'.length),
    connection: 'Keep-Alive',
    'user-agent': 'cvmfs Fuse 2.12.0',
  });
});

test('paths are bytes and are escaped, also in the info header', async (t) => {
  const server = await serve(t);
  const downloader = download(t, [`${server.url}/b äse`], { sendInfoHeader: true });
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  const request = { path: `${latin1('/x y/ü')}\xff`, label: `a\r\nB: ${latin1('ü')}` };
  await downloader.transfer(request, new MemorySink(LIMIT));
  t.is(server.requests[0].target, '/b%20%C3%A4se/x%20y/%C3%BC%FF');
  t.is(server.requests[0].headers['cvmfs-info'], 'a%0D%0AB:%20%C3%BC');
  server.fault(/./, { status: 404 });
  await t.throwsAsync(downloader.transfer(request, new MemorySink(LIMIT)), { message: /^cannot download a\?\?B: ü: / });
});

test('a range is asked for in bytes', async (t) => {
  const server = await serve(t);
  const sink = new MemorySink(LIMIT);
  await download(t, [server.url]).transfer({ path: '/x', label: 'x', range: { offset: 2, length: 3 } }, sink);
  t.is(server.requests[0].headers.range, 'bytes=2-4');
  t.is(sink.take().toString(), 'nte');
});

test('credentials of a server URL are sent', async (t) => {
  const server = await serve(t);
  await download(t, [server.url.replace('//', '//me:secret@')]).file('/x', LIMIT);
  t.is(server.requests[0].headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`);
});

test('one request after the other uses one connection', async (t) => {
  const server = await serve(t);
  const downloader = download(t, [server.url]);
  for (let i = 0; i < 20; i++) await downloader.file(`/${i}`, LIMIT);
  t.is(server.connections, 1);
});

test('a refusal does not cost the connection', async (t) => {
  const server = await serve(t);
  server.fault(/missing/, { status: 404, body: 'x'.repeat(10_000) });
  const downloader = download(t, [server.url]);
  await t.throwsAsync(downloader.file('/missing', LIMIT));
  await downloader.file('/x', LIMIT);
  t.is(server.connections, 1);
});

test('an endless error page is not read to its end', async (t) => {
  const server = await serve(t);
  server.fault(/missing/, { status: 404, body: Buffer.alloc(50_000_000) });
  await t.throwsAsync(download(t, [server.url]).file('/missing', LIMIT), { message: /HTTP 404/ });
});

test('many requests at once use at most 16 connections, and urgent ones go first', async (t) => {
  const server = await serve(t);
  server.latency = 30;
  const downloader = download(t, [server.url]);
  const done: string[] = [];
  const get = async (path: string, urgent: boolean) => {
    await downloader.transfer({ path, label: path, urgent }, new MemorySink(LIMIT));
    done.push(path);
  };
  await Promise.all([
    ...Array.from({ length: 40 }, (_, i) => get(`/slow/${i}`, false)),
    ...Array.from({ length: 10 }, (_, i) => get(`/fast/${i}`, true)),
  ]);
  t.is(server.connections, 16);
  t.is(done.length, 50);
  t.true(done.slice(0, 32).filter((path) => path.startsWith('/fast')).length === 10);
});

test('a connection that the server has closed meanwhile is nobody’s failure', async (t) => {
  const server = await serve(t);
  const downloader = download(t, [server.url], { maxRetries: 0 });
  await downloader.file('/1', LIMIT);
  server.cut();
  t.is((await downloader.file('/2', LIMIT)).toString(), 'content');
});

test('a connection that breaks when it is used again is replaced once', async (t) => {
  // Answers the first request of every connection and resets at the second.
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      if (requests++ > 0) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const downloader = download(t, [`http://127.0.0.1:${port}`], { maxRetries: 0 });
  for (let i = 0; i < 5; i++) t.is((await downloader.file('/x', LIMIT)).toString(), 'ok');
  t.is(connections, 5);
});

test('bytes that nobody asked for end a connection', async (t) => {
  const bodies = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(bodies.shift() ?? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const downloader = download(t, [`http://127.0.0.1:${port}`]);
  t.is((await downloader.file('/x', LIMIT)).toString(), 'ok');
  t.is((await downloader.file('/y', LIMIT)).toString(), 'good');
});

test('redirects are followed if asked, at most four', async (t) => {
  const [server, other] = [await serve(t), await serve(t)];
  server.fault(/^\/a$/, { status: 302, headers: { location: '/b%20c?d=%2F' } });
  server.fault(/^\/b/, { status: 307, headers: { location: `${other.url}/e` } });
  server.fault(/^\/loop/, { status: 301, headers: { location: '/loop' } });
  server.fault(/^\/file/, { status: 301, headers: { location: 'file:///etc/passwd' } });
  const downloader = download(t, [server.url], { followRedirects: true });
  t.is((await downloader.file('/a', LIMIT)).toString(), 'content');
  t.deepEqual([server.paths(), other.paths()], [['/a', '/b%20c?d=%2F'], ['/e']]);
  server.requests.length = 0;
  await t.throwsAsync(downloader.file('/loop', LIMIT), { message: /more than 4 redirects/ });
  t.is(server.requests.length, 10, 'five requests, and the retry');
  await t.throwsAsync(downloader.file('/file', LIMIT), { message: /redirect to file: is not followed/ });
  server.fault(/^\/zero/, { status: 301, headers: { location: 'http://127.0.0.1:0/' } });
  t.is(
    (await download(t, [server.url, other.url], { followRedirects: true }).file('/zero', LIMIT)).toString(),
    'content',
  );
});

test('a body without a length is complete when the connection ends', async (t) => {
  const server = await serve(t);
  server.fault(/./, { body: 'all of it', framing: 'none' });
  t.is((await download(t, [server.url]).file('/x', LIMIT)).toString(), 'all of it');
});

test('a process that has nothing else to do ends in spite of kept connections', async (t) => {
  const { execFile } = await import('node:child_process');
  const server = await serve(t);
  const module = new URL('../../src/download/downloader.ts', import.meta.url).href;
  const script = `const { Downloader } = await import('${module}');
    process.stdout.write(await new Downloader({ servers: ['${server.url}'] }).file('/x', 100));`;
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  t.is(output, 'content');
});
