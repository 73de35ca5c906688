import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { preferred } from '../../../src/download/dns/addresses.ts';
import { findInHosts } from '../../../src/download/dns/hosts-file.ts';
import { candidates, parseSearch } from '../../../src/download/dns/resolv-conf.ts';
import { Resolver, type ResolverSettings } from '../../../src/download/dns/resolver.ts';
import { DnsServer, type Records } from '../../support/dns-server.ts';
import { temporaryDirectory } from '../../support/object-fixture.ts';

async function start(
  t: ExecutionContext,
  records: Readonly<Record<string, Records>>,
  settings: Partial<ResolverSettings> = {},
): Promise<{ server: DnsServer; resolver: Resolver }> {
  const server = await DnsServer.start(records);
  t.teardown(() => server.close());
  const environment = { HOST_ALIASES: '/dev/null' };
  const resolver = new Resolver({ server: server.address, timeout: 1, retries: 0, environment, ...settings });
  return { server, resolver };
}

test('addresses of both families, asked for once and kept as long as they are good', async (t) => {
  const { server, resolver } = await start(t, { 'p.test': { v4: ['192.0.2.1', '192.0.2.2'], v6: ['2001:db8::1'] } });
  const [a, b] = await Promise.all([resolver.resolve('p.test'), resolver.resolve('p.test')]);
  t.is(a, b);
  t.deepEqual([...a.v4].sort(), ['192.0.2.1', '192.0.2.2']);
  t.deepEqual(a.v6, ['2001:db8::1']);
  await resolver.resolve('p.test');
  t.deepEqual(server.questions.sort(), ['p.test A', 'p.test AAAA']);
  t.is(resolver.known('p.test'), a);
});

test('the time an answer is good for is kept between the limits', async (t) => {
  const records = { 'short.test': { v4: ['192.0.2.1'], ttl: 1 }, 'long.test': { v4: ['192.0.2.1'], ttl: 1e6 } };
  const { resolver } = await start(t, records, { minTtl: 60, maxTtl: 100 });
  const left = async (name: string) => ((await resolver.resolve(name)).expires - performance.now()) / 1000;
  const [short, long] = [await left('short.test'), await left('long.test')];
  t.true(short > 55 && short <= 60, `${short}`);
  t.true(long > 95 && long <= 100, `${long}`);
});

test('an answer that is over is asked for again', async (t) => {
  const { server, resolver } = await start(t, { 'p.test': { v4: ['192.0.2.1'], ttl: 0 } }, { minTtl: 0 });
  await resolver.resolve('p.test');
  server.records.set('p.test', { v4: ['192.0.2.9'] });
  t.is(resolver.known('p.test'), undefined);
  t.deepEqual((await resolver.resolve('p.test')).v4, ['192.0.2.9']);
});

test('a name that does not exist', async (t) => {
  const { resolver } = await start(t, {});
  await t.throwsAsync(resolver.resolve('none.test'), { code: 'ENOTFOUND', message: /none\.test/ });
});

test('a name server that says nothing: given up in time, however many ask', async (t) => {
  const { resolver } = await start(t, { 'p.test': { hang: true } }, { timeout: 0.3, retries: 1 });
  const begin = performance.now();
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => resolver.resolve('p.test')));
  t.true(outcomes.every((one) => one.status === 'rejected' && one.reason.code === 'EAI_AGAIN'));
  t.true(performance.now() - begin < 5000);
});

test('IPv6 addresses that do not come are not waited for when there are others', async (t) => {
  const { resolver } = await start(t, { 'p.test': { v4: ['192.0.2.1'], hang: 'v6' } }, { timeout: 20 });
  const begin = performance.now();
  t.deepEqual((await resolver.resolve('p.test')).v4, ['192.0.2.1']);
  t.true(performance.now() - begin < 5000);
});

test('the preferred family first, the other one where there is nothing else', (t) => {
  const both = { v4: ['192.0.2.1'], v6: ['2001:db8::1'] };
  t.deepEqual(preferred(both, 4), both.v4);
  t.deepEqual(preferred(both, 6), both.v6);
  t.deepEqual(preferred({ v4: [], v6: both.v6 }, 4), both.v6);
  t.deepEqual(preferred({ v4: both.v4, v6: [] }, 6), both.v4);
});

test('CVMFS_IPV4_ONLY: nobody is asked for IPv6', async (t) => {
  const environment = { HOST_ALIASES: '/dev/null', CVMFS_IPV4_ONLY: '1' };
  const { server, resolver } = await start(
    t,
    { 'p.test': { v4: ['192.0.2.1'], v6: ['2001:db8::1'] } },
    { environment },
  );
  t.deepEqual((await resolver.resolve('p.test')).v6, []);
  t.deepEqual(server.questions, ['p.test A']);
});

test('what the hosts file knows is not asked for', async (t) => {
  const hosts = join(temporaryDirectory(t), 'hosts');
  writeFileSync(hosts, '# comment\n192.0.2.7 Proxy.test p # p.test\n2001:db8::7\tproxy.test\n');
  const { server, resolver } = await start(t, {}, { environment: { HOST_ALIASES: hosts } });
  t.like(await resolver.resolve('proxy.test'), { v4: ['192.0.2.7'], v6: ['2001:db8::7'] });
  t.deepEqual(server.questions, []);
  t.is(findInHosts('192.0.2.7 a # b', 'b'), undefined);
  t.like(await resolver.resolve('localhost'), { v4: ['127.0.0.1'] });
});

test('another name server by hand: what was known is forgotten', async (t) => {
  const { resolver } = await start(t, { 'p.test': { v4: ['192.0.2.1'] } });
  await resolver.resolve('p.test');
  const other = await DnsServer.start({ 'p.test': { v4: ['192.0.2.2'] } });
  t.teardown(() => other.close());
  resolver.setServer(other.address);
  t.is(resolver.server, other.address);
  t.deepEqual((await resolver.resolve('p.test')).v4, ['192.0.2.2']);
  t.throws(() => resolver.setServer('not an address'), { code: 'BAD_URL' });
  t.throws(() => new Resolver({ server: 'dns.test' }), { message: /CVMFS_DNS_SERVER/ });
  t.is(resolver.server, other.address);
});

test('search domains of resolv.conf', (t) => {
  const search = parseSearch(
    'nameserver 192.0.2.1\ndomain old.test\nsearch a.test b.test. # c\noptions ndots:2 rotate\n',
  );
  t.deepEqual(search, { domains: ['a.test', 'b.test'], ndots: 2 });
  t.deepEqual(candidates('wpad', search), ['wpad.a.test', 'wpad.b.test', 'wpad']);
  t.deepEqual(candidates('x.y', search), ['x.y.a.test', 'x.y.b.test', 'x.y']);
  t.deepEqual(candidates('x.y.z', search), ['x.y.z', 'x.y.z.a.test', 'x.y.z.b.test']);
  t.deepEqual(candidates('x.', search), ['x']);
});
