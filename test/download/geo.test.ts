import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Downloader } from '../../src/download/downloader.ts';
import { parseGeoAnswer } from '../../src/download/geo.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { TestServer } from '../support/http-server.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

const GEO = /\/api\/v1\.0\/geo\//;

async function serve(t: ExecutionContext): Promise<TestServer> {
  const server = await TestServer.start();
  t.teardown(() => server.close());
  server.fault(/./, { body: 'content' });
  return server;
}

/** Servers with names, so that their alphabetical order is another one. All know the way. */
async function servers(t: ExecutionContext, answer: string | number): Promise<{ all: TestServer[]; urls: string[] }> {
  const all = [await serve(t), await serve(t), await serve(t)];
  for (const server of all) server.fault(GEO, typeof answer === 'string' ? { body: answer } : { status: answer });
  const hosts = ['localhost', '127.0.0.1', '127.0.0.2'];
  return { all, urls: all.map(({ port }, i) => `http://${hosts[i]}:${port}/cvmfs/x`) };
}

function download(t: ExecutionContext, urls: readonly string[], more: Partial<DownloadSettings> = {}): Downloader {
  const settings = { timeoutDirect: 10, timeout: 10, maxRetries: 0, useGeo: true, environment: {} };
  const downloader = new Downloader({ ...settings, ...more, servers: urls });
  t.teardown(() => downloader.close());
  return downloader;
}

async function sorted(downloader: Downloader): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (downloader.status().serverList.every(({ distance }) => distance === 'geo')) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

test('answers of the Geo-API', (t) => {
  t.deepEqual(parseGeoAnswer('2,1,3\n', 3), [1, 0, 2]);
  for (const wrong of ['', '1,2', '1,2,2', '0,1,2', '1,2,4', '1,,2', '1;2;3', '1,2,3,4', '1,2,x', '-1,2,3']) {
    t.is(parseGeoAnswer(wrong, 3), undefined, wrong);
  }
  fc.assert(
    fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 }), (order) => {
      t.deepEqual(
        parseGeoAnswer(order.join(','), 5),
        order.map((n) => n - 1),
      );
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => parseGeoAnswer(text, 7) === undefined));
});

test('servers are asked about by their sorted names, and used in the order of the answer', async (t) => {
  // Sorted: 127.0.0.1, 127.0.0.2, localhost.
  const { all, urls } = await servers(t, '3,1,2\n');
  const state = temporaryDirectory(t);
  const downloader = download(t, urls, { stateDirectory: state });
  t.true(await sorted(downloader));
  t.deepEqual(downloader.status().servers, [urls[0], urls[1], urls[2]]);
  const asked = all.flatMap((server) => server.paths(GEO));
  t.is(asked.length, 1);
  const uuid = readFileSync(join(state, 'uuid'), 'latin1').trim();
  t.deepEqual(asked, [`/cvmfs/x/api/v1.0/geo/${uuid}/127.0.0.1,127.0.0.2,localhost`]);
});

test('the next start takes the last answer at once and asks nobody; an old one is renewed later', async (t) => {
  const { all, urls } = await servers(t, '2,3,1\n');
  const state = temporaryDirectory(t);
  t.true(await sorted(download(t, urls, { stateDirectory: state })));
  const second = download(t, urls, { stateDirectory: state });
  t.deepEqual(second.status().servers, [urls[2], urls[0], urls[1]]);
  const note = join(state, 'network.repository.json');
  const text = readFileSync(note, 'utf8').replace(/"time":(\d+)/, (_, time) => `"time":${Number(time) - 7200}`);
  writeFileSync(note, text);
  for (const server of all) server.fault(GEO, { body: '1,2,3' });
  const third = download(t, urls, { stateDirectory: state });
  t.deepEqual(third.status().servers, [urls[2], urls[0], urls[1]]);
  for (let i = 0; i < 200 && third.status().servers[0] !== urls[1]; i++) await new Promise((r) => setTimeout(r, 50));
  t.deepEqual(third.status().servers, [urls[1], urls[2], urls[0]]);
  t.is(all.flatMap((server) => server.paths(GEO)).length, 2);
});

test('nobody is waited for: the configured order until the answer comes', async (t) => {
  const { all, urls } = await servers(t, '2,3,1\n');
  for (const server of all) server.fault(GEO, { hang: true });
  const downloader = download(t, urls);
  t.is((await downloader.file('/a', 1000)).toString(), 'content');
  t.deepEqual(all[0].paths(/a$/), ['/cvmfs/x/a']);
});

test('useless answers: three servers are asked, then the configured order stays, and a line says so', async (t) => {
  for (const answer of ['1,1,2', 400]) {
    const { all, urls } = await servers(t, answer);
    const lines: string[] = [];
    const state = temporaryDirectory(t);
    const downloader = download(t, urls, { useGeo: false, stateDirectory: state, warn: (line) => lines.push(line) });
    t.false(await downloader.sortByDistance());
    // Nobody listens at the third address.
    t.is(all.flatMap((server) => server.paths(GEO)).length, 2);
    t.deepEqual(downloader.status().servers, urls);
    t.is(lines.length, 1);
    t.true(urls.every((url) => lines[0].includes(`${url}: `)));
    // For a while nobody asks again.
    const asked = all.flatMap((server) => server.paths(GEO)).length;
    const next = download(t, urls, { stateDirectory: state });
    await next.file('/a', 1000);
    t.is(all.flatMap((server) => server.paths(GEO)).length, asked);
    t.is(next.status().serverList[0].distance, 'unprobed');
  }
});

test('through a proxy its name is asked for, or the template', async (t) => {
  const { urls } = await servers(t, '1,2,3');
  const proxy = await serve(t);
  proxy.fault(GEO, { body: '1,2,3' });
  const proxies = `http://localhost:${proxy.port}`;
  t.true(await download(t, urls, { useGeo: false, proxies }).sortByDistance());
  t.true(await download(t, urls, { useGeo: false, proxies, proxyTemplate: 'site' }).sortByDistance());
  t.deepEqual(
    proxy.paths(GEO).map((path) => path.split('/')[6]),
    ['localhost', 'site'],
  );
});

test('fallback proxies are sorted too; where there are no others, the question is asked directly', async (t) => {
  const { all, urls } = await servers(t, '5,2,6,1,3,4');
  const fallbackProxies = 'http://127.0.0.7:1;http://127.0.0.8:1';
  const downloader = download(t, urls, { useGeo: false, proxies: 'DIRECT', fallbackProxies });
  t.true(await downloader.sortByDistance());
  const names = all
    .flatMap((server) => server.paths(GEO))[0]
    .split('/')
    .at(-1);
  t.is(names, '127.0.0.1,127.0.0.2,localhost,+PXYSEP+,127.0.0.7,127.0.0.8');
  t.deepEqual(downloader.status().proxyGroups, [['http://127.0.0.7:1'], ['http://127.0.0.8:1']]);
  for (const server of all) server.fault(GEO, { body: '6,5,3,2,1,4' });
  t.true(await downloader.sortByDistance());
  t.deepEqual(downloader.status().proxyGroups, [['http://127.0.0.8:1'], ['http://127.0.0.7:1']]);
  t.deepEqual(downloader.status().servers, [urls[0], urls[2], urls[1]]);
});

test('strictly, the question goes through a fallback proxy as well', async (t) => {
  const { all, urls } = await servers(t, '1,2,3');
  const proxy = await serve(t);
  proxy.fault(GEO, { body: '1,2,3,4,5' });
  const settings = { useGeo: false, proxies: 'DIRECT', fallbackProxies: proxy.url, proxyStrict: true };
  t.true(await download(t, urls, settings).sortByDistance());
  t.is(proxy.paths(GEO).length, 1);
  t.deepEqual(
    all.flatMap((server) => server.paths()),
    [],
  );
});

test('CVMFS_MAX_SERVERS: the nearest', async (t) => {
  const { urls } = await servers(t, '2,3,1');
  const downloader = download(t, urls, { useGeo: false, maxServers: 2 });
  t.deepEqual(downloader.status().servers, urls.slice(0, 2));
  t.true(await downloader.sortByDistance());
  t.deepEqual(downloader.status().servers, [urls[2], urls[0]]);
});

test('a single server needs no order', async (t) => {
  const { all, urls } = await servers(t, '1');
  const downloader = download(t, urls.slice(0, 1));
  t.false(await downloader.sortByDistance());
  t.deepEqual(all[0].requests, []);
});
