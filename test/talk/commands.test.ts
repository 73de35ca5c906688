// The answers to talk commands, in the reference's words (client.md §9.4).
import test from 'ava';
import { ttlText } from '../../src/talk/commands/network.ts';
import { answerTo, COMMANDS } from '../../src/talk/commands.ts';
import { type Calls, madeNetwork, madeTarget } from './made-target.ts';

const MEGABYTE = 1024 * 1024;

test('answers of a mount whose layers can do everything', async (t) => {
  const calls: Calls = [];
  const noted = (...call: unknown[]) => calls.push(call);
  const target = madeTarget(calls, {
    cache: {
      describe: () => 'Posix cache manager (cache directory: /cache)',
      size: () => ({ used: 5 * MEGABYTE + 7, pinned: MEGABYTE }),
      list: (kind) => [`${kind} one`, 'two'],
      limit: () => 4000,
      setLimit: (megabytes) => megabytes === 2000,
      cleanup: (bytes) => bytes === 10 * MEGABYTE,
      cleanupRate: (minutes) => minutes * 2,
      evict: async (path) => path === '/a b',
      pin: async (path) => path === '/file',
    },
    updates: {
      maxTtl: () => 30,
      setMaxTtl: (minutes) => void noted('setMaxTtl', minutes),
      remount: async (sync) => (sync ? 'Catalog up to date' : 'New revision applied'),
      switchTo: async (hash) => hash === 'abc',
    },
  });
  const expected: Record<string, string> = {
    'cache instance': 'Posix cache manager (cache directory: /cache)',
    'cache size': 'Current cache size is 5MB (5242887 Bytes), pinned: 1MB (1048576 Bytes)',
    'cache list': 'all one\ntwo\n',
    'cache list pinned': 'pinned one\ntwo\n',
    'cache list catalogs': 'catalogs one\ntwo\n',
    'cache limit get': '4000',
    'cache limit set 2000': 'OK',
    'cache limit set 3000': 'Limit not reset',
    'cache limit set 999': 'New limit too low (minimum 1000)',
    'cache limit set': 'Usage: cache limit set <limit in MB>',
    'cleanup 10': 'OK',
    'cleanup 11': 'Not fully cleaned (there might be pinned chunks)',
    'cleanup rate 60': '120',
    'cleanup x': 'Usage: cleanup <MB>',
    'evict /a b': 'OK',
    'evict /a  b': 'No such regular file',
    'pin /file': 'OK',
    'pin /other': 'No such regular file or pinning failed',
    mountpoint: '/cvmfs/made.example.org',
    'device id': '0:42',
    remount: 'New revision applied',
    'remount sync': 'Catalog up to date',
    'chroot abc': 'OK',
    'chroot def': 'Failed',
    'detach nested catalogs': 'OK',
    'drop metadata caches': 'OK',
    revision: '7',
    'max ttl info': '30 minutes',
    'max ttl set 5': 'OK',
    'nameserver get': 'DNS server address: 10.0.0.53',
    'nameserver set 10.1.1.1': 'OK',
    'host info':
      '  [0] http://a/x (unprobed)\n  [1] http://b/x (12 ms)\n  [2] http://c/x (host down)\n  [3] http://d/x (geographically ordered)\nActive host 1: http://b/x',
    'host switch': 'OK',
    'host set http://e/x;http://f/x': 'OK',
    'host probe': 'OK',
    'host probe geo': 'Failed',
    'external host info': 'No hosts defined',
    'proxy info':
      'Load-balance groups:\n[0] http://10.0.0.1:3128 (one, +5m), http://10.0.0.2:3128 (two, +2h)\n[1] http://three:3128 (:unresolved:, +0s)\n[2] DIRECT\nActive proxy: [0] http://10.0.0.2:3128\nFirst fallback group: [2]',
    'external proxy info': 'No proxies defined',
    'proxy rebalance': 'OK',
    'proxy group switch': 'OK',
    'proxy set http://p:1': 'OK',
    'proxy set bad': 'Failed, no valid proxies',
    'proxy fallback http://q:1': 'OK',
    'timeout info': 'Timeout with proxy: 5s\nTimeout without proxy: no timeout',
    'timeout set 3 4': 'OK',
    'timeout set 3': 'Usage: timeout set <proxy> <direct>',
    'open catalogs': '-> \n    -> /a\n        -> /a/b\n    -> /c',
    'reset error counters': 'OK',
    pid: String(process.pid),
    'pid cachemgr': String(process.pid),
    parameters: "A=1    # from /etc/x\nB='a b'    # from @INTERNAL@",
    version: '2.12.0 (CernVM-FS Fuse Module)\n2.12.0 (Loader)',
    'version patchlevel': '0',
    'tracebuffer flush': 'OK',
    nonsense: 'unknown command',
    'revision 7': 'unknown command',
    '': 'unknown command',
    '  revision  ': '7',
  };
  for (const [command, answer] of Object.entries(expected))
    t.is(await answerTo(target, command.trim()), answer, command);
  t.deepEqual(calls, [
    ['detachNested'],
    ['dropMetadata'],
    ['setMaxTtl', 5],
    ['note', 'max ttl set', '5'],
    ['setNameServer', '10.1.1.1'],
    ['note', 'nameserver set', '10.1.1.1'],
    ['switchHost'],
    ['setHosts', 'http://e/x;http://f/x'],
    ['note', 'host set', 'http://e/x;http://f/x'],
    ['probe'],
    ['rebalance'],
    ['switchProxyGroup'],
    ['setProxies', 'http://p:1'],
    ['note', 'proxy set', 'http://p:1'],
    ['setFallbackProxies', 'http://q:1'],
    ['note', 'proxy fallback', 'http://q:1'],
    ['setTimeouts', 3, 4],
    ['note', 'timeout set', '3 4'],
    ['resetErrors'],
  ]);
});

test('where a layer has no answer the reference’s words for that are said, and nothing fails', async (t) => {
  const network = madeNetwork([], {
    setHosts: undefined,
    setProxies: undefined,
    probe: undefined,
    probeGeo: undefined,
  });
  const target = madeTarget([], { network });
  const expected: Record<string, string> = {
    'cache size': 'Cache cannot report its size',
    'cache list': 'Cache cannot list its entries',
    'cache limit set 2000': 'Limit not reset',
    'cleanup 10': 'Cache cannot trigger eviction',
    'cleanup rate 10': 'Unsupported by this cache',
    'host probe geo': 'Failed',
    'max ttl info': 'unset',
  };
  for (const [command, answer] of Object.entries(expected)) t.is(await answerTo(target, command), answer, command);
  for (const command of COMMANDS.values()) {
    const answer = await answerTo(target, command.argument ? `${command.words} 1` : command.words);
    t.true(answer !== 'unknown command' && answer.length > 0, command.words);
  }
});

test('latencies are a table of quantiles, where they are measured', async (t) => {
  t.regex(await answerTo(madeTarget(), 'latency'), /^Unsupported: .*CVMFS_INSTRUMENT_FUSE=yes/);
  const read = { action: 'read', count: 3, quantile: (part: number) => part * 1000 };
  const table = await answerTo(madeTarget([], { latencies: () => [read] }), 'latency');
  const [head, row, end] = table.split('\n');
  t.regex(head, /^"repository","action","total_count","time_unit",0\.10000,.*,0\.99900$/);
  t.regex(row, /^"made\.example\.org","read",3,"nanoseconds",100,200,250,.*,999$/);
  t.is(head.split(',').length, row.split(',').length);
  t.is(end, '');
});

test('internal affairs end in raw counters, three columns each', async (t) => {
  const answer = await answerTo(madeTarget(), 'internal affairs');
  const [report, raw] = answer.split('\n\nRaw Counters:\n');
  t.regex(report, /^Mounted made\.example\.org on \/cvmfs\/made\.example\.org, revision 7/);
  const lines = raw.split('\n');
  t.true(lines.length > 10);
  for (const line of lines) t.regex(line, /^[\w.-]+\|\d+\|[^|]+$/);
  t.true(lines.includes('cvmfs.n_io_error|1|Number of I/O errors'));
});

test('the rest of an address’s time', (t) => {
  t.deepEqual([12, 59, 60, 300, 3599, 3600, 10_800, -5].map(ttlText), [
    '+12s',
    '+59s',
    '+1m',
    '+5m',
    '+59m',
    '+1h',
    '+3h',
    '-5s',
  ]);
});
