// What to do after a failed attempt: the state machine of client.md §7.6 for one request.
import { type FailureCode, isHostFailure, isProxyFailure, isTransferFailure } from './errors.ts';

export interface FailoverLimits {
  readonly maxRetries: number;
  /** Seconds. */
  readonly backoffInit: number;
  readonly backoffMax: number;
  /** CVMFS_FAILOVER_INDEFINITELY: proxies are tried again and again. */
  readonly indefinitely?: boolean;
}

/** How many there are now: lists may change while a request is under way. */
export interface Alternatives {
  readonly hosts: number;
  readonly proxies: number;
}

/**
 * `again`: the same server and proxy, after `delay` milliseconds. `proxies-and-host`: the next server, and the proxies
 * from the start. `proxies-again`: all proxies once more, after `delay`.
 */
export type NextStep =
  | { readonly kind: 'again' | 'proxies-again'; readonly delay: number }
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

  next(failure: FailureCode, { hosts, proxies }: Alternatives): NextStep {
    const code = failure === 'BAD_DATA' && this.#noCache ? 'HOST_HTTP' : failure;
    if (code === 'BAD_DATA') {
      this.#noCache = true;
      return { kind: 'again', delay: 0 };
    }
    const sameUrl = !this.#noCache && this.#retries < this.#limits.maxRetries && isTransferFailure(code);
    this.#noCache = false;
    if (sameUrl) {
      this.#retries++;
      return { kind: 'again', delay: this.#nextBackoff() };
    }
    const moreHosts = this.#hostsUsed < hosts;
    if (isHostFailure(code)) {
      if (!moreHosts) return { kind: 'give-up' };
      this.#hostsUsed++;
      return { kind: 'host' };
    }
    if (!isProxyFailure(code)) return { kind: 'give-up' };
    if (this.#proxiesUsed < proxies) {
      this.#proxiesUsed++;
      return { kind: 'proxy' };
    }
    if (moreHosts) {
      this.#hostsUsed++;
      this.#proxiesUsed = 1;
      return { kind: 'proxies-and-host' };
    }
    if (!this.#limits.indefinitely) return { kind: 'give-up' };
    this.#proxiesUsed = 1;
    return { kind: 'proxies-again', delay: this.#nextBackoff() };
  }

  /** Random at first, so that many clients do not come back at once; doubled from then on. Milliseconds. */
  #nextBackoff(): number {
    const { backoffInit, backoffMax } = this.#limits;
    this.#backoff = this.#backoff === 0 ? Math.floor(Math.random() * (backoffInit * 1000 + 1)) : this.#backoff * 2;
    return Math.min(this.#backoff, backoffMax * 1000);
  }
}
