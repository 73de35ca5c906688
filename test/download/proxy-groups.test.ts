import test from 'ava';
import { ProxyGroups, parseProxyGroups } from '../../src/download/proxy-groups.ts';

const names = (proxies: string, fallback = '') =>
  parseProxyGroups(proxies, fallback).map((group) => group.map((proxy) => proxy.name));

/** Groups whose random choice is always the first usable member. */
function groups(proxies: string, resetAfter = 300): ProxyGroups {
  return new ProxyGroups(parseProxyGroups(proxies, ''), { resetAfter, random: () => 0 });
}

test('groups are separated by semicolons, their members by bars', (t) => {
  t.deepEqual(names('http://a:1|b:2;https://c:3;DIRECT'), [['http://a:1', 'http://b:2'], ['https://c:3'], ['DIRECT']]);
  t.deepEqual(names('proxy'), [['http://proxy:1080']]);
});

test('auto is left out, what follows is used', (t) => {
  t.deepEqual(names('auto;DIRECT'), [['DIRECT']]);
});

test('with fallback proxies nothing is direct', (t) => {
  t.deepEqual(names('a:1;DIRECT', 'b:1|DIRECT;DIRECT'), [['http://a:1'], ['http://b:1']]);
});

test('no proxy at all is refused with what to do', (t) => {
  t.throws(() => names(''), { message: /CVMFS_HTTP_PROXY/, code: 'BAD_URL' });
  t.throws(() => names('auto'), { code: 'BAD_URL' });
  t.throws(() => names('http://a:x'), { code: 'BAD_URL' });
});

test('a failed proxy is not used again: the rest of its group, then the next group, then the first', (t) => {
  const chain = groups('a:1|b:1;c:1');
  const seen: string[] = [];
  for (let i = 0; i < 4; i++) {
    const proxy = chain.current(0);
    seen.push(proxy.name);
    t.true(chain.leave(proxy, 0));
  }
  t.deepEqual(seen, ['http://a:1', 'http://b:1', 'http://c:1', 'http://a:1']);
});

test('a failure that others have met already changes nothing', (t) => {
  const chain = groups('a:1|b:1');
  const a = chain.current(0);
  chain.leave(a, 0);
  t.false(chain.leave(a, 0));
  t.is(chain.current(0).name, 'http://b:1');
});

test('the first group comes back after its time, and a burned member of a group', (t) => {
  const chain = groups('a:1|b:1;c:1', 300);
  chain.leave(chain.current(0), 0);
  t.is(chain.current(300_000).name, 'http://b:1');
  t.is(chain.current(300_001).name, 'http://a:1');
  const two = groups('a:1;c:1', 300);
  two.leave(two.current(0), 0);
  t.is(two.current(300_000).name, 'http://c:1');
  t.is(two.current(300_001).name, 'http://a:1');
  const never = groups('a:1;c:1', 0);
  never.leave(never.current(0), 0);
  t.is(never.current(1e12).name, 'http://c:1');
});

test('the load is spread over the members of a group', (t) => {
  const chosen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    chosen.add(new ProxyGroups(parseProxyGroups('a:1|b:1|c:1', ''), { resetAfter: 0 }).current(0).name);
  }
  t.is(chosen.size, 3);
});
