// Load-balance groups of proxies in fail-over order (client.md §7.5, §7.6).
import { DownloadError } from './errors.ts';
import { type Endpoint, parseHttpUrl } from './url.ts';

export interface ProxyChoice {
  /** URL without credentials, or DIRECT. */
  readonly name: string;
  /** Undefined: no proxy. */
  readonly endpoint: Endpoint | undefined;
}

export interface ProxyResets {
  /** Seconds after which the first group is used again, and failed members of a group; 0 never. */
  readonly resetAfter: number;
  /** Integer in [0, below). */
  readonly random?: (below: number) => number;
}

/** What libcurl takes for a proxy without a port. */
const DEFAULT_PORT = 1080;

/** Parses CVMFS_HTTP_PROXY and CVMFS_FALLBACK_PROXY. Proxy discovery (`auto`) is left out. Throws DownloadError BAD_URL. */
export function parseProxyGroups(proxies: string, fallback: string): ProxyChoice[][] {
  const regular = parseList(proxies);
  const last = withoutDirect(parseList(fallback));
  const groups = [...(last.length > 0 ? withoutDirect(regular) : regular), ...last];
  if (groups.length === 0) {
    throw new DownloadError(
      'BAD_URL',
      `no proxy in '${proxies}': set CVMFS_HTTP_PROXY to a list of proxies, or to DIRECT`,
    );
  }
  return groups;
}

function parseList(list: string): ProxyChoice[][] {
  const groups = list
    .split(';')
    .map((group) => group.split('|').filter((member) => member !== '' && member !== 'auto'));
  return groups.filter((group) => group.length > 0).map((group) => group.map(parseProxy));
}

function withoutDirect(groups: ProxyChoice[][]): ProxyChoice[][] {
  return groups.map((group) => group.filter((proxy) => proxy.endpoint)).filter((group) => group.length > 0);
}

function parseProxy(text: string): ProxyChoice {
  if (text.toUpperCase() === 'DIRECT') return { name: 'DIRECT', endpoint: undefined };
  const endpoint = parseHttpUrl(text.includes('://') ? text : `http://${text}`, DEFAULT_PORT);
  return { name: endpoint.name, endpoint };
}

export class ProxyGroups {
  readonly groups: readonly (readonly ProxyChoice[])[];
  /** Number of proxies in all groups, DIRECT counts as one. */
  readonly total: number;
  #resetAfterMs: number;
  #random: (below: number) => number;
  #group = 0;
  #burned = new Set<ProxyChoice>();
  #current: ProxyChoice;
  #leftFirstAt = 0;
  #failedOverAt = 0;

  constructor(groups: readonly (readonly ProxyChoice[])[], resets: ProxyResets) {
    this.groups = groups;
    this.total = groups.reduce((sum, group) => sum + group.length, 0);
    this.#resetAfterMs = resets.resetAfter * 1000;
    this.#random = resets.random ?? ((below) => Math.floor(Math.random() * below));
    this.#current = this.#choose();
  }

  /** The proxy in use, chosen at random from its group and kept; earlier choices come back when their time is over. */
  current(now: number): ProxyChoice {
    if (this.#resetAfterMs > 0 && this.total > 1) {
      if (this.#group !== 0 && now > this.#leftFirstAt + this.#resetAfterMs) {
        this.restart();
      } else if (this.#burned.size > 0 && now > this.#failedOverAt + this.#resetAfterMs) {
        this.#burned.clear();
        this.#current = this.#choose();
      }
    }
    return this.#current;
  }

  /** Burns `failed` and chooses another one of the group, or of the next group. True when it moved. */
  leave(failed: ProxyChoice, now: number): boolean {
    if (!this.groups[this.#group].includes(failed) || this.#burned.has(failed)) return false;
    this.#burned.add(failed);
    if (this.#burned.size === this.groups[this.#group].length) {
      if (this.#group === 0) this.#leftFirstAt = now;
      this.#group = (this.#group + 1) % this.groups.length;
      this.#burned.clear();
    } else {
      this.#failedOverAt = now;
    }
    // Another request may have moved on from `failed` before it burned.
    if (this.#current === failed || !this.groups[this.#group].includes(this.#current)) this.#current = this.#choose();
    return true;
  }

  /** Back to the first group with all its members. */
  restart(): void {
    this.#group = 0;
    this.#burned.clear();
    this.#current = this.#choose();
  }

  #choose(): ProxyChoice {
    const usable = this.groups[this.#group].filter((proxy) => !this.#burned.has(proxy));
    return usable[this.#random(usable.length)];
  }
}
