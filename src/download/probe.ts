// Measures how far servers and proxies are (client.md §7.9): for `host probe`, and for people who look for a fault.
import type { Downloader } from './downloader.ts';
import { DIRECT } from './sender.ts';
import type { Server } from './server-chain.ts';

const MANIFEST = '/.cvmfspublished';
const MAX_MANIFEST_BYTES = 65_536;

export interface Reach {
  readonly server: string;
  /** URL, or DIRECT. */
  readonly proxy: string;
  /** For one file over an open connection; undefined: it cannot be reached. */
  readonly milliseconds?: number;
  /** Why it cannot be reached. */
  readonly failure?: string;
}

/** Every server through every proxy, all at once but for what the connections allow. Never rejects. */
export async function reachOfAll(downloader: Downloader): Promise<Reach[]> {
  const { servers, proxies } = downloader;
  await proxies.ready;
  if (proxies.failure) {
    const failure = proxies.failure.message;
    return servers.all.map((server) => ({ server: server.name, proxy: 'none', failure }));
  }
  const members = proxies.groups.groups.flat();
  const pairs = servers.all.flatMap((server) => {
    const ways = server.directory === undefined ? members : [DIRECT];
    return ways.map((proxy) => ({ server, proxy }));
  });
  return Promise.all(
    pairs.map(async (pair) => {
      const names = { server: pair.server.name, proxy: pair.proxy.name };
      try {
        return { ...names, milliseconds: await measure(downloader, pair) };
      } catch (error) {
        return { ...names, failure: (error as Error).message };
      }
    }),
  );
}

/** Sorts the servers by how fast they answer; those that do not come last. The first one is used from now on. */
export async function probeServers(downloader: Downloader): Promise<void> {
  const { servers, proxies } = downloader;
  await proxies.ready;
  if (proxies.failure) throw proxies.failure;
  const distances = new Map<Server, number | 'down'>();
  // One after the other, so that none has to share the line with another.
  for (const server of servers.all) {
    const proxy = proxies.current(performance.now());
    const distance = await measure(downloader, { server, proxy }).catch(() => 'down' as const);
    distances.set(server, distance);
  }
  const rank = (server: Server) => {
    const distance = distances.get(server);
    return typeof distance === 'number' ? distance : Number.POSITIVE_INFINITY;
  };
  const ordered = [...servers.all].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  servers.reorder(ordered, (server) => {
    const distance = distances.get(server) ?? 'down';
    return typeof distance === 'number' ? Math.round(distance) : distance;
  });
}

/** Two rounds; the first one pays for the connection. Milliseconds. */
async function measure({ sender }: Downloader, attempt: Parameters<Downloader['sender']['fetch']>[2]): Promise<number> {
  await sender.fetch(MANIFEST, MAX_MANIFEST_BYTES, attempt);
  const start = performance.now();
  await sender.fetch(MANIFEST, MAX_MANIFEST_BYTES, attempt);
  return performance.now() - start;
}
