// host …, proxy …, timeout …, nameserver …, and the same for external data.
import { type TalkCommand, wholeNumber } from '../command.ts';
import type { HostInfo, NetworkControl, ProxyInfo, TalkTarget } from '../talk-target.ts';

const NO_HOSTS = 'No hosts defined';
const NOT_POSSIBLE = 'Unsupported: this cannot be changed while the repository is mounted';

type Choose = (target: TalkTarget) => NetworkControl | undefined;
const regular: Choose = ({ network }) => network;
const external: Choose = (target) => target.external;

export function hostInfo(hosts: readonly HostInfo[]): string {
  if (hosts.length === 0) return NO_HOSTS;
  const lines = hosts.map(({ url, distance }, i) => `  [${i}] ${url} (${distanceText(distance)})\n`);
  const active = hosts.findIndex((host) => host.active);
  return `${lines.join('')}Active host ${active}: ${hosts[active]?.url ?? ''}`;
}

function distanceText(distance: HostInfo['distance']): string {
  if (distance === 'unprobed') return 'unprobed';
  if (distance === 'down') return 'host down';
  return distance === 'geo' ? 'geographically ordered' : `${distance} ms`;
}

export function proxyInfo(groups: readonly (readonly ProxyInfo[])[], firstFallback: number | undefined): string {
  if (groups.length === 0) return 'No proxies defined';
  const lines = groups.map((group, i) => `[${i}] ${group.map(proxyText).join(', ')}\n`);
  const active = groups.findIndex((group) => group.some((proxy) => proxy.active));
  const url = groups[active]?.find((proxy) => proxy.active)?.url ?? '';
  const fallback = firstFallback === undefined ? '' : `\nFirst fallback group: [${firstFallback}]`;
  return `Load-balance groups:\n${lines.join('')}Active proxy: [${active}] ${url}${fallback}`;
}

function proxyText({ url, host, ttl, unresolved }: ProxyInfo): string {
  if (host === undefined) return 'DIRECT';
  if (unresolved) return `${url} (:unresolved:, ${ttlText(0)})`;
  return `${url} (${host}, ${ttlText(ttl ?? 0)})`;
}

/** What is left of the time for which an address is good, in the largest unit that gives a whole number of at least one. */
export function ttlText(seconds: number): string {
  const sign = seconds < 0 ? '-' : '+';
  const size = Math.abs(seconds);
  if (size >= 3600) return `${sign}${Math.floor(size / 3600)}h`;
  return size >= 60 ? `${sign}${Math.floor(size / 60)}m` : `${sign}${size}s`;
}

function done(action: (() => void) | undefined): string {
  if (!action) return NOT_POSSIBLE;
  action();
  return 'OK';
}

function timeoutLine(what: string, seconds: number): string {
  return `Timeout ${what} proxy: ${seconds === 0 ? 'no timeout' : `${seconds}s`}`;
}

function commandsOf(prefix: string, choose: Choose): TalkCommand[] {
  return [
    { words: `${prefix}host info`, run: (target) => hostInfo(choose(target)?.hosts() ?? []) },
    {
      words: `${prefix}host switch`,
      run(target) {
        choose(target)?.switchHost();
        return 'OK';
      },
    },
    {
      words: `${prefix}host set`,
      argument: '<host list>',
      lasting: true,
      run(target, list) {
        const network = choose(target);
        return done(network?.setHosts && (() => network.setHosts?.(list)));
      },
    },
    {
      words: `${prefix}proxy info`,
      run(target) {
        const network = choose(target);
        return proxyInfo(network?.proxies() ?? [], network?.firstFallback());
      },
    },
    {
      words: `${prefix}proxy set`,
      argument: '<proxy list>',
      lasting: true,
      run(target, list) {
        const network = choose(target);
        if (!network?.setProxies) return NOT_POSSIBLE;
        try {
          network.setProxies(list);
          return 'OK';
        } catch {
          return 'Failed, no valid proxies';
        }
      },
    },
    {
      words: `${prefix}timeout info`,
      run(target) {
        const { proxied, direct } = choose(target)?.timeouts() ?? { proxied: 0, direct: 0 };
        return `${timeoutLine('with', proxied)}\n${timeoutLine('without', direct)}`;
      },
    },
    {
      words: `${prefix}timeout set`,
      argument: '<proxy> <direct>',
      lasting: true,
      run(target, argument) {
        const [proxied, direct, more] = argument.split(/\s+/).map(wholeNumber);
        if (proxied === undefined || direct === undefined || more !== undefined) {
          return `Usage: ${prefix}timeout set <proxy> <direct>`;
        }
        const network = choose(target);
        return done(network?.setTimeouts && (() => network.setTimeouts?.(proxied, direct)));
      },
    },
  ];
}

export const NETWORK_COMMANDS: readonly TalkCommand[] = [
  ...commandsOf('', regular),
  ...commandsOf('external ', external),
  {
    words: 'host probe',
    async run({ network }) {
      if (!network.probe) return NOT_POSSIBLE;
      await network.probe();
      return 'OK';
    },
  },
  {
    words: 'host probe geo',
    run: async ({ network }) => ((await network.probeGeo?.()) ? 'OK' : 'Failed'),
  },
  { words: 'proxy rebalance', run: ({ network }) => done(network.rebalance && (() => network.rebalance?.())) },
  {
    words: 'proxy group switch',
    run: ({ network }) => done(network.switchProxyGroup && (() => network.switchProxyGroup?.())),
  },
  {
    words: 'proxy fallback',
    argument: '<proxy list>',
    lasting: true,
    run: ({ network }, list) => done(network.setFallbackProxies && (() => network.setFallbackProxies?.(list))),
  },
  {
    words: 'nameserver get',
    run({ network }) {
      const address = network.nameServer?.();
      return address ? `DNS server address: ${address}` : 'DNS server not set.';
    },
  },
  {
    words: 'nameserver set',
    argument: '<host>',
    lasting: true,
    run: ({ network }, address) => done(network.setNameServer && (() => network.setNameServer?.(address))),
  },
];
