import test from 'ava';
import { ProxyGroups } from '../../src/download/proxy-groups.ts';
import { parseProxyList } from '../../src/download/proxy-list.ts';

/** Groups whose random choice is always the first usable member. */
function groups(proxies: string, resetAfter = 300, fallback = ''): ProxyGroups {
  return new ProxyGroups(parseProxyList({ proxies, fallback }), { resetAfter, random: () => 0 });
}

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
    chosen.add(new ProxyGroups(parseProxyList({ proxies: 'a:1|b:1|c:1' }), { resetAfter: 0 }).current(0).name);
  }
  t.is(chosen.size, 3);
});

test('going back to one that had failed, as it is the best there is', (t) => {
  const chain = groups('a:1|b:1;c:1');
  const [a, b] = chain.groups[0];
  chain.leave(a, 0);
  chain.leave(b, 0);
  t.is(chain.current(0).name, 'http://c:1');
  chain.returnTo(a, 0);
  t.is(chain.current(0), a);
  t.is(chain.active, 0);
});

test('another list begins at its first group; the same with other addresses stays in its group', (t) => {
  const chain = groups('a:1;c:1');
  chain.leave(chain.current(0), 0);
  chain.replace(parseProxyList({ proxies: 'a:1;d:1|e:1' }), true);
  t.is(chain.current(0).name, 'http://d:1');
  chain.replace(parseProxyList({ proxies: 'x:1;y:1' }));
  t.is(chain.current(0).name, 'http://x:1');
});

test('the next group by hand, though nothing has failed', (t) => {
  const chain = groups('a:1;c:1');
  chain.switchGroup(0);
  t.is(chain.current(0).name, 'http://c:1');
  t.is(chain.active, 1);
});

test('sharding: an object has its proxy, the load is spread, and a failure moves only the share of the failed one', (t) => {
  const chain = new ProxyGroups(parseProxyList({ proxies: 'a:1|b:1|c:1;d:1' }), { resetAfter: 300, shard: true });
  const keys = Array.from({ length: 300 }, (_, i) => (i * 2654435761) % 2 ** 32);
  const before = keys.map((key) => chain.current(0, key));
  t.deepEqual(
    keys.map((key) => chain.current(0, key)),
    before,
  );
  const failed = chain.groups[0][1];
  const share = before.filter((proxy) => proxy === failed).length;
  t.true(share > 30 && share < 200, `${share}`);
  chain.leave(failed, 0);
  keys.forEach((key, i) => {
    const now = chain.current(0, key);
    if (before[i] === failed) t.not(now, failed);
    else t.is(now, before[i]);
  });
});
