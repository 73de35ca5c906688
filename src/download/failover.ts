// What to do after a failed attempt: the state machine of client.md §7.6 for one request.
import { type FailureCode, isHostTransferFailure, isProxyTransferFailure, isTransferFailure } from './errors.ts';

export interface FailoverLimits {
  readonly hosts: number;
  readonly proxies: number;
  readonly maxRetries: number;
  /** Seconds. */
  readonly backoffInit: number;
  readonly backoffMax: number;
}

/** `again`: the same server and proxy, after `delay` milliseconds. `proxies-and-host`: the next server, and the proxies from the start. */
export type NextStep =
  | { readonly kind: 'again'; readonly delay: number }
  | { readonly kind: 'host' | 'proxy' | 'proxies-and-host' | 'give-up' };

export class Failover {
  #limits: FailoverLimits;
  #hostsUsed = 1;
  #proxiesUsed = 1;
  #retries = 0;
  #backoff = 0;
  #noCache = false;

  constructor(limits: FailoverLimits) {
    this.#limits = limits;
  }

  /** The next attempt must ask caches on the way for fresh data. */
  get noCache(): boolean {
    return this.#noCache;
  }

  next(failure: FailureCode): NextStep {
    const code = failure === 'BAD_DATA' && this.#noCache ? 'HOST_HTTP' : failure;
    if (code === 'BAD_DATA') {
      this.#noCache = true;
      return { kind: 'again', delay: 0 };
    }
    const sameUrl = !this.#noCache && this.#retries < this.#limits.maxRetries && isTransferFailure(code);
    this.#noCache = false;
    if (sameUrl) return { kind: 'again', delay: this.#nextBackoff() };
    const moreHosts = this.#hostsUsed < this.#limits.hosts;
    if (code === 'HOST_RESOLVE' || code === 'HOST_HTTP' || isHostTransferFailure(code)) {
      if (!moreHosts) return { kind: 'give-up' };
      this.#hostsUsed++;
      return { kind: 'host' };
    }
    if (code !== 'PROXY_RESOLVE' && code !== 'PROXY_HTTP' && !isProxyTransferFailure(code)) return { kind: 'give-up' };
    if (this.#proxiesUsed < this.#limits.proxies) {
      this.#proxiesUsed++;
      return { kind: 'proxy' };
    }
    if (!moreHosts) return { kind: 'give-up' };
    this.#hostsUsed++;
    this.#proxiesUsed = 1;
    return { kind: 'proxies-and-host' };
  }

  /** Random at first, so that many clients do not come back at once; doubled from then on. Milliseconds. */
  #nextBackoff(): number {
    this.#retries++;
    const { backoffInit, backoffMax } = this.#limits;
    this.#backoff = this.#backoff === 0 ? Math.floor(Math.random() * (backoffInit * 1000 + 1)) : this.#backoff * 2;
    return Math.min(this.#backoff, backoffMax * 1000);
  }
}
