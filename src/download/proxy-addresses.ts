// The addresses behind the names of proxies: each is a proxy of its own.
import { type Addresses, preferred, shuffled } from './dns/addresses.ts';
import type { Resolver } from './dns/resolver.ts';
import type { ProxyChoice } from './proxy-list.ts';

export class ProxyAddresses {
  readonly #resolver: Resolver;
  readonly #limit: number;
  /** The last good answers of the name servers. */
  readonly #addresses = new Map<string, Addresses>();
  /** Names that cannot be resolved, and why. */
  readonly #failures = new Map<string, string>();

  /** `limit`: addresses of one proxy that are used, by chance; 0: all. */
  constructor(resolver: Resolver, limit: number) {
    this.#resolver = resolver;
    this.#limit = limit;
  }

  /** Asks for a name. Rejects where it cannot be resolved; that is remembered, and so are the last good addresses. */
  async ask(name: string): Promise<void> {
    try {
      this.#addresses.set(name, await this.#resolver.resolve(name));
      this.#failures.delete(name);
    } catch (error) {
      this.#failures.set(name, (error as Error).message);
      throw error;
    }
  }

  /** When the proxy's name has to be resolved again: milliseconds of performance.now(). */
  expires({ endpoint, unresolved }: ProxyChoice): number {
    if (unresolved !== undefined) return 0;
    if (!endpoint?.address) return Number.POSITIVE_INFINITY;
    return this.#addresses.get(endpoint.host)?.expires ?? 0;
  }

  /** A proxy for each address, as far as they are known. */
  of(proxy: ProxyChoice): ProxyChoice[] {
    const { endpoint } = proxy;
    const [name] = namesOf([proxy]);
    if (!endpoint || name === undefined) return [proxy];
    // Addresses that were right are better than none when the name server is out of order.
    const known = this.#addresses.get(name);
    const failure = this.#failures.get(name);
    if (!known) return failure === undefined ? [proxy] : [{ ...proxy, unresolved: failure }];
    const all = preferred(known, this.#resolver.family);
    const some = this.#limit > 0 && all.length > this.#limit ? shuffled(all).slice(0, this.#limit) : all;
    return some.map((address) => {
      const shown = address.includes(':') ? `[${address}]` : address;
      const url = `${endpoint.secure ? 'https' : 'http'}://${shown}:${endpoint.port}`;
      return { name: url, endpoint: { ...endpoint, address } };
    });
  }
}

/** The names among the hosts, each once; addresses need no resolution. */
export function namesOf(proxies: readonly ProxyChoice[]): string[] {
  const { isIP } = process.getBuiltinModule('node:net');
  const hosts = proxies.flatMap(({ endpoint }) => (endpoint ? [endpoint.host] : []));
  return [...new Set(hosts)].filter((host) => isIP(host) === 0);
}
