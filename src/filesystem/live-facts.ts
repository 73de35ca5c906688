// The facts of a mount, from the objects that make it up.
import { readFileSync } from 'node:fs';
import type { CacheStore } from '../cache/store.ts';
import type { Network } from '../download/no-network.ts';
import type { Manifest } from '../repository/manifest.ts';
import { fetchManifest } from '../repository/verification.ts';
import type { CacheFacts, MountFacts, NetworkFacts, RequestFacts, TransferFacts } from './mount-facts.ts';
import type { RepositorySettings } from './mounted-repository.ts';
import type { RequestCounters } from './request-counters.ts';

export interface FactsOptions {
  readonly settings: RepositorySettings;
  readonly source: Network;
  readonly external: Network | undefined;
  readonly store: CacheStore;
  readonly counters: RequestCounters;
  readonly tag: string | undefined;
  /** See MountFacts. */
  readonly expires: () => number | undefined;
}

export class LiveFacts implements MountFacts {
  readonly fqrn: string;
  readonly mountedAt = performance.now();
  readonly tag: string;
  readonly network: NetworkFacts;
  readonly external: NetworkFacts | undefined;
  readonly expires: () => number | undefined;
  readonly #options: FactsOptions;
  #maxFiles: number | undefined;

  constructor(options: FactsOptions) {
    const { settings, source, external } = options;
    this.#options = options;
    this.fqrn = settings.fqrn;
    this.tag = options.tag ?? '';
    this.expires = options.expires;
    this.network = networkFacts(source, settings.servers);
    this.external = external && networkFacts(external, settings.externalServers ?? {});
  }

  get masterKeys(): readonly string[] {
    const { masterKeys } = this.#options.settings;
    return masterKeys.map((key) => String(key.export({ type: 'spki', format: 'pem' })));
  }

  cache(): CacheFacts {
    return countersOf<CacheFacts>(this.#options.store) ?? { requests: 0, misses: 0 };
  }

  requests(): RequestFacts {
    this.#maxFiles ??= openFilesLimit();
    return { ...this.#options.counters.values(), maxFiles: this.#maxFiles };
  }

  lastMessages(): string {
    return this.#options.settings.log?.lastMessages() ?? '';
  }

  /** Asked for anew, with the whole chain of trust: a start that trusts what it has seen before does not verify one. */
  async manifest(): Promise<Manifest> {
    const { source, store, settings } = this.#options;
    const { fqrn, masterKeys, blacklist } = settings;
    const alongside = (): undefined => undefined;
    return (await fetchManifest(source, store, { fqrn, masterKeys, blacklist, alongside })).manifest;
  }
}

type Timeouts = { readonly timeout?: number; readonly timeoutDirect?: number };

function networkFacts(downloader: Network, { timeout = 0, timeoutDirect = 0 }: Timeouts): NetworkFacts {
  return {
    server: () => downloader.status().server,
    servers() {
      const { server, servers } = downloader.status();
      const first = server === undefined ? 0 : Math.max(0, servers.indexOf(server));
      return [...servers.slice(first), ...servers.slice(0, first)];
    },
    proxy: () => downloader.status().proxy,
    proxies: () => downloader.status().proxyGroups.flat(),
    timeouts: () => ({ proxied: timeout, direct: timeoutDirect }),
    transfers: () => countersOf<TransferFacts>(downloader) ?? { downloads: 0, bytes: 0, milliseconds: 0 },
  };
}

function countersOf<T>(layer: object): T | undefined {
  return (layer as { counters?: () => T }).counters?.();
}

/** The soft limit of this process. */
function openFilesLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line?.[1] === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(line?.[1] ?? 0);
  } catch {
    return 0;
  }
}
