// The facts of a mount, from the objects that make it up.
import { readFileSync } from 'node:fs';
import type { CacheStore } from '../cache/store.ts';
import type { Network } from '../download/no-network.ts';
import { type Manifest, parseManifest } from '../repository/manifest.ts';
import { fetchManifest } from '../repository/verification.ts';
import type { CacheFacts, MountFacts, NetworkFacts, RequestFacts } from './mount-facts.ts';
import type { RepositorySettings } from './mounted-repository.ts';
import type { RequestCounters } from './request-counters.ts';

const MAX_MANIFEST = 1 << 20;

export interface FactsOptions {
  readonly settings: RepositorySettings;
  readonly source: Network;
  readonly external: Network | undefined;
  readonly store: CacheStore;
  readonly counters: RequestCounters;
  readonly tag: string | undefined;
  /** See MountFacts. */
  readonly expires: () => number | undefined;
  /** The manifest as it was verified for the revision that is shown; undefined where that needed no proof. */
  readonly verified: () => Buffer | undefined;
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
    this.network = networkFacts(source);
    this.external = external && networkFacts(external);
  }

  get masterKeys(): readonly string[] {
    const { masterKeys } = this.#options.settings;
    return masterKeys.map((key) => String(key.export({ type: 'spki', format: 'pem' })));
  }

  cache(): CacheFacts {
    const { hits, misses, quota } = this.#options.store.status();
    return { requests: hits + misses, misses, used: quota?.used, capacity: quota?.limit };
  }

  requests(): RequestFacts {
    this.#maxFiles ??= openFilesLimit();
    return { ...this.#options.counters.values(), maxFiles: this.#maxFiles };
  }

  lastMessages(): string {
    return this.#options.settings.log?.lastMessages() ?? '';
  }

  async isOnline(): Promise<boolean> {
    try {
      await this.#options.source.file('/.cvmfspublished', MAX_MANIFEST);
      return true;
    } catch {
      return false;
    }
  }

  /** Asked for anew, with the whole chain of trust, where a start trusted what was seen before and so verified none. */
  async manifest(): Promise<Manifest> {
    const verified = this.#options.verified();
    if (verified) return parseManifest(verified);
    const { source, store, settings } = this.#options;
    const { fqrn, masterKeys, blacklist } = settings;
    const alongside = (): undefined => undefined;
    return (await fetchManifest(source, store, { fqrn, masterKeys, blacklist, alongside })).manifest;
  }
}

function networkFacts(downloader: Network): NetworkFacts {
  return {
    server: () => downloader.status().server,
    servers() {
      const { server, servers } = downloader.status();
      const first = server === undefined ? 0 : Math.max(0, servers.indexOf(server));
      return [...servers.slice(first), ...servers.slice(0, first)];
    },
    proxy: () => downloader.status().proxy,
    proxies: () => downloader.status().proxyGroups.flat(),
    timeouts: () => downloader.status().timeouts,
    transfers() {
      const { transfers: downloads, bytes, milliseconds } = downloader.counters();
      return { downloads, bytes, milliseconds };
    },
  };
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
