import test from 'ava';
import { asksForDiscovery, type ProxyListOptions, parseProxyList } from '../../src/download/proxy-list.ts';

const names = (proxies: string, more: Partial<ProxyListOptions> = {}) =>
  parseProxyList({ proxies, ...more }).groups.map((group) => group.map((proxy) => proxy.name));

test('groups are separated by semicolons, their members by bars', (t) => {
  t.deepEqual(names('http://a:1|b:2;https://c:3;DIRECT'), [['http://a:1', 'http://b:2'], ['https://c:3'], ['DIRECT']]);
  t.deepEqual(names('proxy'), [['http://proxy:1080']]);
  t.deepEqual(names('http://[::1]:3128'), [['http://[::1]:3128']]);
  t.deepEqual(names(''), []);
});

test('auto stands for what was discovered, or for nothing', (t) => {
  t.deepEqual(names('auto;DIRECT'), [['DIRECT']]);
  t.deepEqual(names('auto;DIRECT', { discovered: 'a:1|b:1;c:1' }), [
    ['http://a:1', 'http://b:1'],
    ['http://c:1'],
    ['DIRECT'],
  ]);
  t.deepEqual(names('x:1; auto', { discovered: 'a:1' }), [['http://x:1'], ['http://a:1']]);
  t.true(asksForDiscovery('x:1;auto'));
  t.false(asksForDiscovery('autobahn:1;x:1|auto'));
});

test('with fallback proxies nothing is direct, and a DIRECT among them is told about', (t) => {
  const lines: string[] = [];
  const warn = (line: string) => lines.push(line);
  t.deepEqual(names('a:1;DIRECT', { fallback: 'b:1|DIRECT;DIRECT', warn }), [['http://a:1'], ['http://b:1']]);
  t.is(lines.length, 1);
  t.is(parseProxyList({ proxies: 'a:1|b:1;DIRECT', fallback: 'c:1' }).firstFallback, 1);
  t.is(parseProxyList({ proxies: 'DIRECT', fallback: 'c:1' }).firstFallback, 0);
});

test('strictly: DIRECT only where no proxy is named, by whomever', (t) => {
  const strict = true;
  t.deepEqual(names('a:1;DIRECT', { strict }), [['http://a:1']]);
  t.deepEqual(names('auto;DIRECT', { strict, discovered: 'a:1;DIRECT' }), [['http://a:1']]);
  t.deepEqual(names('auto;DIRECT', { strict, discovered: 'DIRECT' }), [['DIRECT'], ['DIRECT']]);
  t.deepEqual(names('DIRECT', { strict }), [['DIRECT']]);
});

test('what is no URL is refused, without its password', (t) => {
  t.throws(() => names('http://a:x'), { code: 'BAD_URL' });
  const error = t.throws(() => names('http://me:secret@a:x'), { code: 'BAD_URL' });
  t.false(error?.message.includes('secret'));
});
