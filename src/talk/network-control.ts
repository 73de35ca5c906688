// The servers and proxies of a mount, as talk commands see and change them.
import { Downloader } from '../download/downloader.ts';
import type { Network } from '../download/no-network.ts';
import { probeServers } from '../download/probe.ts';
import type { NetworkControl } from './talk-target.ts';

export function networkControl(network: Network): NetworkControl {
  const status = () => network.status();
  return {
    hosts: () => status().serverList,
    proxies: () => status().proxyList,
    firstFallback: () => status().firstFallback,
    timeouts: () => status().timeouts,
    nameServer: () => status().nameServer,
    switchHost: () => void network.switchServer(),
    // Where there is no network (`--offline`) there is nothing to change.
    ...(network instanceof Downloader ? changes(network) : {}),
  };
}

function changes(downloader: Downloader): Partial<NetworkControl> {
  const { servers, proxies, sender, resolver } = downloader;
  return {
    setTimeouts(proxied, direct) {
      sender.timeouts = { proxied, direct };
    },
    setHosts(list) {
      const urls = list.split(';').filter(Boolean);
      if (urls.length === 0) throw new Error('there is no host in the list');
      servers.replace(urls);
    },
    probe: () => probeServers(downloader),
    probeGeo: () => downloader.sortByDistance(),
    rebalance: () => proxies.groups.rebalance(),
    switchProxyGroup: () => downloader.switchProxyGroup(),
    setProxies: (list) => proxies.setRegular(list),
    setFallbackProxies: (list) => proxies.setFallback(list),
    setNameServer: (address) => resolver.setServer(address),
  };
}
