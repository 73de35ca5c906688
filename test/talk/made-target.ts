// A mount that talk commands can ask, without a file system.
import type { HostInfo, NetworkControl, ProxyInfo, TalkTarget } from '../../src/talk/talk-target.ts';
import { MADE_FACTS } from '../filesystem/made-file-system.ts';

export const HOSTS: readonly HostInfo[] = [
  { url: 'http://a/x', distance: 'unprobed', active: false },
  { url: 'http://b/x', distance: 12, active: true },
  { url: 'http://c/x', distance: 'down', active: false },
  { url: 'http://d/x', distance: 'geo', active: false },
];

const proxy = (url: string, host: string | undefined, more: Partial<ProxyInfo> = {}): ProxyInfo => ({
  url,
  host,
  ttl: 300,
  unresolved: false,
  active: false,
  ...more,
});

export const PROXIES: readonly (readonly ProxyInfo[])[] = [
  [proxy('http://10.0.0.1:3128', 'one'), proxy('http://10.0.0.2:3128', 'two', { active: true, ttl: 7300 })],
  [proxy('http://three:3128', 'three', { unresolved: true, ttl: undefined })],
  [proxy('DIRECT', undefined, { ttl: undefined })],
];

/** What was called with what. */
export type Calls = unknown[][];

export function madeNetwork(calls: Calls, more: Partial<NetworkControl> = {}): NetworkControl {
  const noted =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args]);
  return {
    hosts: () => HOSTS,
    proxies: () => PROXIES,
    firstFallback: () => 2,
    timeouts: () => ({ proxied: 5, direct: 0 }),
    setTimeouts: noted('setTimeouts'),
    switchHost: noted('switchHost'),
    setHosts: noted('setHosts'),
    probe: async () => noted('probe')(),
    probeGeo: async () => false,
    rebalance: noted('rebalance'),
    switchProxyGroup: noted('switchProxyGroup'),
    setProxies(list) {
      if (list === 'bad') throw new Error('no');
      calls.push(['setProxies', list]);
    },
    setFallbackProxies: noted('setFallbackProxies'),
    nameServer: () => '10.0.0.53',
    setNameServer: noted('setNameServer'),
    ...more,
  };
}

export function madeTarget(calls: Calls = [], more: Partial<TalkTarget> = {}): TalkTarget {
  return {
    facts: MADE_FACTS,
    mountpoint: '/cvmfs/made.example.org',
    version: '0.1.0',
    deviceId: () => '0:42',
    parameters: () => ['A=1    # from /etc/x', "B='a b'    # from @INTERNAL@"],
    catalogs: {
      revision: 7,
      rootHash: 'ab'.repeat(20),
      mountpoints: () => ['/a/b', '', '/c', '/a'],
      entries: 10,
      inodeGauge: 300,
      detachNested: async () => void calls.push(['detachNested']),
      dropMetadata: () => void calls.push(['dropMetadata']),
    },
    cache: {
      describe: () => 'Posix cache manager (cache directory: /cache)',
      evict: async (path) => path === '/a b',
      pin: async () => false,
    },
    network: madeNetwork(calls),
    external: undefined,
    updates: {
      maxTtl: () => 0,
      setMaxTtl: (minutes) => void calls.push(['setMaxTtl', minutes]),
      remount: async () => 'Catalog up to date',
      switchTo: async () => false,
    },
    latencies: () => undefined,
    settings: {
      note: (words, argument) => void calls.push(['note', words, argument]),
      before: () => [],
    },
    resetErrors: () => void calls.push(['resetErrors']),
    ...more,
  };
}
