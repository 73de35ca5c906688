// Names of proxies: each of their addresses is a proxy.
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_RESOLVER_SETTINGS } from '../../src/download/dns/resolver.ts';
import { Downloader } from '../../src/download/downloader.ts';
import type { DownloadSettings } from '../../src/download/settings.ts';
import { DnsServer, type Records } from '../support/dns-server.ts';
import { TestServer } from '../support/http-server.ts';

const NAME = 'proxy.test';

async function serve(t: ExecutionContext, port = 0, address = '127.0.0.1'): Promise<TestServer> {
  const server = await TestServer.start({}, port, address);
  t.teardown(() => server.close());
  return server;
}

async function start(
  t: ExecutionContext,
  records: Readonly<Record<string, Records>>,
  settings: (port: number) => Partial<DownloadSettings>,
): Promise<{ downloader: Downloader; dns: DnsServer; one: TestServer; two: TestServer; server: TestServer }> {
  const dns = await DnsServer.start(records);
  t.teardown(() => dns.close());
  const server = await serve(t);
  server.fault(/./, { body: 'content' });
  const one = await serve(t);
  const two = await serve(t, one.port, '127.0.0.2');
  const { dns: more, ...rest } = settings(one.port);
  const downloader = new Downloader({
    timeout: 5,
    timeoutDirect: 5,
    backoffInit: 0.02,
    maxRetries: 0,
    ...rest,
    servers: [server.url],
    dns: {
      ...DEFAULT_RESOLVER_SETTINGS,
      server: dns.address,
      timeout: 2,
      retries: 0,
      environment: { HOST_ALIASES: '/dev/null' },
      ...more,
    },
  });
  t.teardown(() => downloader.close());
  return { downloader, dns, one, two, server };
}

async function content(downloader: Downloader, path = '/x'): Promise<string> {
  return (await downloader.file(path, 1000)).toString();
}

const both = { [NAME]: { v4: ['127.0.0.1', '127.0.0.2'] } };

test('each address of a name is a proxy of the group; when one fails the other is used', async (t) => {
  const { downloader, one, two } = await start(t, both, (port) => ({ proxies: `http://${NAME}:${port}` }));
  t.is(await content(downloader), 'content');
  const { proxyList, proxyGroups, proxy } = downloader.status();
  t.deepEqual([...proxyGroups[0]].sort(), [one.url, two.url]);
  t.true(proxyList[0].every(({ host, ttl = 0 }) => host === NAME && ttl > 50 && ttl <= 60));
  const used = proxy === one.url ? one : two;
  const spare = used === one ? two : one;
  used.fault(/./, { reset: true });
  t.is(await content(downloader, '/y'), 'content');
  t.is(downloader.status().proxy, spare.url);
  t.deepEqual(spare.paths(), ['/y']);
});

test('many clients spread over the addresses', async (t) => {
  const used = new Set<string>();
  const { downloader, dns, one } = await start(t, both, (port) => ({ proxies: `http://${NAME}:${port}` }));
  await content(downloader);
  for (let i = 0; i < 40; i++) {
    downloader.proxies.groups.rebalance();
    used.add(downloader.status().proxy);
  }
  t.is(used.size, 2);
  t.is(dns.questions.length, 2, 'asked once');
  t.true(one.port > 0);
});

test('not more addresses than CVMFS_MAX_IPADDR_PER_PROXY', async (t) => {
  const { downloader } = await start(t, both, (port) => ({ proxies: `${NAME}:${port}`, maxAddressesPerProxy: 1 }));
  await content(downloader);
  t.is(downloader.status().proxyGroups[0].length, 1);
});

test('CVMFS_IPFAMILY_PREFER: addresses of the other family are not used', async (t) => {
  const records = { [NAME]: { v4: ['127.0.0.1'], v6: ['::1'] } };
  const proxies = (port: number) => ({ proxies: `http://${NAME}:${port}` });
  const four = (await start(t, records, proxies)).downloader;
  await content(four);
  t.regex(four.status().proxyGroups[0].join(), /^http:\/\/127\.0\.0\.1:\d+$/);
  const six = (await start(t, records, (port) => ({ ...proxies(port), dns: dnsSettings({ family: 6 }) }))).downloader;
  await six.proxies.ready;
  t.regex(six.status().proxyGroups[0].join(), /^http:\/\/\[::1\]:\d+$/);
});

test('a name that cannot be resolved fails at once, as its own kind of error; the next group is used', async (t) => {
  const { downloader, server } = await start(t, {}, () => ({ proxies: 'none.test:3128;DIRECT' }));
  t.is(await content(downloader), 'content');
  t.is(downloader.status().proxy, 'DIRECT');
  t.true(downloader.status().proxyList[0][0].unresolved);
  t.is(server.requests.length, 1);
  const lost = (await start(t, {}, () => ({ proxies: 'none.test:3128' }))).downloader;
  await t.throwsAsync(content(lost), { code: 'PROXY_RESOLVE', message: /proxy: name none\.test not found/ });
});

test('a name server that says nothing does not hold up a group whose other member is known', async (t) => {
  const records = { [NAME]: { v4: ['127.0.0.1'] }, 'slow.test': { hang: true as const } };
  const { downloader } = await start(t, records, (port) => ({
    proxies: `http://${NAME}:${port}|slow.test:1`,
    dns: dnsSettings({ timeout: 30 }),
  }));
  const begin = performance.now();
  await downloader.proxies.ready;
  t.true(performance.now() - begin < 5000);
});

test('when the answer is over, new addresses replace the old ones; without an answer the old ones stay', async (t) => {
  const { downloader, dns, one, two } = await start(t, { [NAME]: { v4: ['127.0.0.1'], ttl: 0 } }, (port) => ({
    proxies: `http://${NAME}:${port}`,
    dns: dnsSettings({ minTtl: 0.2 }),
  }));
  await content(downloader, '/1');
  t.deepEqual(one.paths(), ['/1']);
  dns.records.set(NAME, { v4: ['127.0.0.2'], ttl: 1000 });
  for (let i = 0; i < 100 && downloader.status().proxy !== two.url; i++) await sleep(50);
  await content(downloader, '/2');
  t.deepEqual(two.paths(), ['/2']);
});

test('a name server out of order: the addresses stay', async (t) => {
  const { downloader, dns, one } = await start(t, { [NAME]: { v4: ['127.0.0.1'], ttl: 0 } }, (port) => ({
    proxies: `http://${NAME}:${port}`,
    dns: dnsSettings({ minTtl: 0.1, timeout: 0.2 }),
  }));
  await content(downloader, '/1');
  dns.records.set(NAME, { hang: true });
  await sleep(200);
  t.is(downloader.status().proxy, one.url);
  await sleep(800);
  await content(downloader, '/2');
  t.deepEqual(one.paths(), ['/1', '/2']);
});

test('the names of servers: a bounded wait for a name server that says nothing, and the right error', async (t) => {
  const dns = await DnsServer.start({ 'slow.test': { hang: true } });
  t.teardown(() => dns.close());
  const settings = { ...DEFAULT_RESOLVER_SETTINGS, server: dns.address, environment: { HOST_ALIASES: '/dev/null' } };
  for (const [name, timeout] of [
    ['slow.test', 0.5],
    ['slow.test', 30],
    ['none.test', 30],
  ] as const) {
    const downloader = new Downloader({
      servers: [`http://${name}`],
      timeoutDirect: timeout,
      dns: { ...settings, timeout: 1, retries: 0 },
    });
    t.teardown(() => downloader.close());
    const begin = performance.now();
    await t.throwsAsync(content(downloader), { code: 'HOST_RESOLVE' }, `${name} ${timeout}`);
    t.true(performance.now() - begin < 8000);
  }
});

function dnsSettings(more: Partial<DownloadSettings['dns']>): DownloadSettings['dns'] {
  // What is undefined is left to `start`.
  return more as DownloadSettings['dns'];
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
