import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import { DownloadError } from '../../src/download/errors.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { type Fault, TestServer, type TestServerOptions } from '../support/http-server.ts';

const LIMIT = 1_000_000;
const BODY = 'x'.repeat(5000);

async function serve(t: ExecutionContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  t.teardown(() => server.close());
  server.fault(/./, { body: BODY });
  return server;
}

function download(
  t: ExecutionContext,
  servers: readonly string[],
  settings: Partial<DownloadSettings> = {},
): Downloader {
  const quick = { timeout: 0.4, timeoutDirect: 0.4, backoffInit: 0.02, backoffMax: 0.05 };
  const downloader = new Downloader({ ...quick, ...settings, servers });
  t.teardown(() => downloader.close());
  return downloader;
}

/** A port where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function failure(t: ExecutionContext, promise: Promise<unknown>): Promise<DownloadError> {
  const error = await t.throwsAsync(promise, { instanceOf: DownloadError });
  t.false(error?.message.includes('\n'));
  return error as DownloadError;
}

const broken: Record<string, Fault> = {
  'answers 404': { status: 404 },
  'answers 403': { status: 403 },
  'answers 500': { status: 500 },
  'answers 429': { status: 429 },
  'redirects when redirects are not followed': { status: 302, headers: { location: '/elsewhere' } },
  'accepts and says nothing': { hang: true },
  'stops in the middle of the body': { body: BODY, hang: 1000 },
  'dribbles bytes': { body: BODY, dribble: { bytes: 20, every: 50 } },
  'resets the connection': { reset: true },
  'resets in the middle of the body': { body: BODY, reset: 1000 },
  'closes in the middle of the body': { body: BODY, truncate: 1000 },
  'closes in the middle of a chunked body': { body: BODY, truncate: 1000, framing: 'chunked' },
};

for (const [what, fault] of Object.entries(broken)) {
  test(`a server that ${what}: the next one is used, at once for the next file`, async (t) => {
    const [bad, good] = [await serve(t), await serve(t)];
    bad.fault(/./, fault);
    const downloader = download(t, [bad.url, good.url]);
    t.is((await downloader.file('/a', LIMIT)).toString(), BODY);
    const asked = bad.requests.length;
    t.is((await downloader.file('/b', LIMIT)).toString(), BODY);
    t.is(bad.requests.length, asked);
    t.is(downloader.status().server, good.url);
  });

  // Slow is better than nothing: see below.
  if (fault.dribble) continue;

  test(`the only server ${what}: an error in bounded time that says so`, async (t) => {
    const bad = await serve(t);
    bad.fault(/./, fault);
    const start = performance.now();
    const error = await failure(t, download(t, [bad.url]).file('/a', LIMIT));
    t.true(performance.now() - start < 5000);
    t.true(error.message.startsWith(`cannot download a: ${bad.url}: `), error.message);
    t.is(error.status, fault.status);
  });
}

test.serial('the only server delivers slowly: it is used all the same, and at once for the next file', async (t) => {
  const slow = await serve(t);
  slow.fault(/./, { body: 'x'.repeat(600), dribble: { bytes: 20, every: 80 } });
  const lines: string[] = [];
  const downloader = download(t, [await deadUrl(), slow.url], { maxRetries: 0, warn: (line) => lines.push(line) });
  t.is((await downloader.file('/a', LIMIT)).length, 600);
  t.true(
    lines.some((line) => line.includes(`${slow.url} is slow, but all others fail: using it`)),
    lines.join('\n'),
  );
  const asked = slow.requests.length;
  t.is((await downloader.file('/b', LIMIT)).length, 600);
  t.is(slow.requests.length, asked + 1);
});

test.serial('a server that delivers slowly and then nothing at all is given up', async (t) => {
  const stuck = await serve(t);
  stuck.fault(/./, { body: BODY, hang: 100 });
  stuck.fault(/./, { body: BODY, dribble: { bytes: 20, every: 80 } }, 1);
  const downloader = download(t, [stuck.url], { maxRetries: 0 });
  const start = performance.now();
  t.is((await failure(t, downloader.file('/a', LIMIT))).code, 'HOST_TOO_SLOW');
  t.is(stuck.requests.length, 2);
  t.true(performance.now() - start < 15_000);
});

test('a server that does not listen: the next one is used, and others waiting for it do not wait on', async (t) => {
  const good = await serve(t);
  const lines: string[] = [];
  const dead = await deadUrl();
  const downloader = download(t, [dead, good.url], { warn: (line) => lines.push(line) });
  const files = await Promise.all(Array.from({ length: 8 }, (_, i) => downloader.file(`/${i}`, LIMIT)));
  t.true(files.every((file) => file.toString() === BODY));
  t.deepEqual(lines, [`switching from ${dead} to ${good.url}: connection refused`]);
});

test('the name of a server that cannot be resolved', async (t) => {
  const error = await failure(
    t,
    download(t, ['http://no-such-host.invalid/x'], { timeoutDirect: 5 }).file('/a', LIMIT),
  );
  t.is(error.code, 'HOST_RESOLVE');
});

test('all servers fail: the error names each and what it did', async (t) => {
  const [a, b] = [await serve(t), await serve(t)];
  a.fault(/./, { status: 404 });
  b.fault(/./, { status: 503 });
  const error = await failure(t, download(t, [a.url, b.url]).file('/a', LIMIT));
  t.is(error.code, 'HOST_HTTP');
  t.true(error.message.includes(`${a.url}: HTTP 404; ${b.url}: HTTP 503`));
  t.regex(error.message, /CVMFS_SERVER_URL/);
});

test('the first server is tried again when its time is over', async (t) => {
  const [a, b] = [await serve(t), await serve(t)];
  a.fault(/./, { status: 500 }, 1);
  const downloader = download(t, [a.url, b.url], { hostResetAfter: 3 });
  await downloader.file('/1', LIMIT);
  await downloader.file('/2', LIMIT);
  t.deepEqual([a.paths(), b.paths()], [['/1'], ['/1', '/2']]);
  await new Promise((resolve) => setTimeout(resolve, 3050));
  await downloader.file('/3', LIMIT);
  t.deepEqual(a.paths(), ['/1', '/3']);
});

test('a failure that passes is survived by asking the same server again', async (t) => {
  const server = await serve(t);
  server.fault(/./, { body: BODY, truncate: 10 }, 1);
  t.is((await download(t, [server.url]).file('/a', LIMIT)).toString(), BODY);
  t.deepEqual(server.paths(), ['/a', '/a']);
});

test('a body longer than the limit is refused, announced or not', async (t) => {
  const server = await serve(t);
  const downloader = download(t, [server.url]);
  t.is((await failure(t, downloader.file('/a', 4999))).code, 'BAD_DATA');
  server.fault(/./, { body: BODY, framing: 'chunked' });
  t.is((await failure(t, downloader.file('/a', 4999))).code, 'BAD_DATA');
  server.fault(/./, { endless: true });
  t.is((await failure(t, downloader.file('/a', 4999))).code, 'BAD_DATA');
});

test('without a server there is an error at once', async (t) => {
  t.is((await failure(t, download(t, []).file('/a', LIMIT))).code, 'BAD_URL');
});

test('closing ends what is under way', async (t) => {
  const server = await serve(t);
  server.fault(/./, { hang: true });
  const downloader = download(t, [server.url], { timeoutDirect: 20 });
  const waiting = Array.from({ length: 20 }, (_, i) => failure(t, downloader.file(`/${i}`, LIMIT)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  downloader.close();
  for (const error of await Promise.all(waiting)) t.is(error.code, 'CANCELED');
});

test('time in which this process stood still is not the server’s', async (t) => {
  const server = await serve(t);
  server.fault(/./, { body: BODY, delay: 50 });
  const file = download(t, [server.url]).file('/a', LIMIT);
  await new Promise((resolve) => setTimeout(resolve, 20));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  t.is((await file).toString(), BODY);
  t.is(server.requests.length, 1);
});

test('turning to the next server by hand', async (t) => {
  const [a, b] = [await serve(t), await serve(t)];
  const downloader = download(t, [a.url, b.url]);
  t.true(downloader.switchServer());
  await downloader.file('/x', LIMIT);
  t.deepEqual([a.paths(), b.paths()], [[], ['/x']]);
  t.false(download(t, [a.url]).switchServer());
});
