// Which proxy is used: fail-over between groups, load balancing within one (client.md §7.5, §7.6).
import { randomBelow } from './dns/addresses.ts';
import type { ProxyChoice, ProxyList } from './proxy-list.ts';
import { ProxyShards } from './proxy-shards.ts';

export interface ProxyGroupsOptions {
  /** Seconds after which the first group is used again, and failed members of a group; 0 never. */
  readonly resetAfter: number;
  /** CVMFS_PROXY_SHARD: the object decides which proxy of a group is asked. */
  readonly shard?: boolean;
  /** Integer in [0, below). */
  readonly random?: (below: number) => number;
}

export class ProxyGroups {
  readonly #resetAfterMs: number;
  readonly #shard: boolean;
  readonly #random: (below: number) => number;
  #list: ProxyList;
  #total = 0;
  #group = 0;
  #burned = new Set<ProxyChoice>();
  #current: ProxyChoice;
  #shards: ProxyShards | undefined;
  #leftFirstAt = 0;
  #failedOverAt = 0;

  /** `list` must not be empty. */
  constructor(list: ProxyList, options: ProxyGroupsOptions) {
    this.#resetAfterMs = options.resetAfter * 1000;
    this.#shard = options.shard ?? false;
    this.#random = options.random ?? randomBelow;
    this.#list = list;
    this.#total = size(list);
    this.#current = this.#choose();
  }

  get groups(): ProxyList['groups'] {
    return this.#list.groups;
  }

  get firstFallback(): number {
    return this.#list.firstFallback;
  }

  /** Index of the group in use. */
  get active(): number {
    return this.#group;
  }

  /** Number of proxies in all groups, DIRECT counts as one. */
  get total(): number {
    return this.#total;
  }

  /**
   * The proxy in use, chosen at random from its group and kept; earlier choices come back when their time is over.
   * `key`: the first 32 bits of the object's hash, for sharding.
   */
  current(now: number, key = 0): ProxyChoice {
    if (this.#resetAfterMs > 0 && this.#total > 1) {
      if (this.#group !== 0 && now > this.#leftFirstAt + this.#resetAfterMs) {
        this.restart();
      } else if (this.#burned.size > 0 && now > this.#failedOverAt + this.#resetAfterMs) {
        this.rebalance();
      }
    }
    if (!this.#shard) return this.#current;
    this.#shards ??= new ProxyShards(this.#usable());
    return this.#shards.choose(key);
  }

  /** Burns `failed` and chooses another one of the group, or of the next group. True when it moved. */
  leave(failed: ProxyChoice, now: number): boolean {
    const group = this.#list.groups[this.#group];
    if (!group.includes(failed) || this.#burned.has(failed)) return false;
    this.#burned.add(failed);
    this.#shards = undefined;
    if (this.#burned.size === group.length) this.#next(now);
    else this.#failedOverAt = now;
    // Another request may have moved on from `failed` before it burned.
    if (this.#current === failed || !this.#usable().includes(this.#current)) this.#current = this.#choose();
    return true;
  }

  /** Back to the first group with all its members. */
  restart(): void {
    this.#group = 0;
    this.rebalance();
  }

  /** Chooses anew among all members of the group. */
  rebalance(): void {
    this.#burned.clear();
    this.#shards = undefined;
    this.#current = this.#choose();
  }

  /** Goes on to the next group, whatever the state of this one. */
  switchGroup(now: number): void {
    this.#next(now);
    this.#current = this.#choose();
  }

  /** Uses `proxy`, if it is there, though it may have failed: it is the best there is. */
  returnTo(proxy: ProxyChoice, now: number): void {
    const group = this.#list.groups.findIndex((members) => members.includes(proxy));
    if (group < 0) return;
    if (group !== 0 && this.#group === 0) this.#leftFirstAt = now;
    this.#group = group;
    this.#burned.delete(proxy);
    this.#failedOverAt = now;
    this.#shards = undefined;
    this.#current = proxy;
  }

  /**
   * Takes another list. With `same` it names the same proxies, maybe with other addresses: the group in use stays, and
   * the proxy in use too if no address of the group has changed.
   */
  replace(list: ProxyList, same = false): void {
    const before = this.#list.groups[this.#group];
    this.#list = list;
    this.#total = size(list);
    if (!same) this.#group = 0;
    const members = list.groups[this.#group];
    if (same && members.length === before.length && members.every((member) => before.includes(member))) return;
    this.rebalance();
  }

  #next(now: number): void {
    if (this.#group === 0) this.#leftFirstAt = now;
    this.#group = (this.#group + 1) % this.#list.groups.length;
    this.#burned.clear();
    this.#shards = undefined;
  }

  #usable(): readonly ProxyChoice[] {
    const group = this.#list.groups[this.#group];
    return this.#burned.size === 0 ? group : group.filter((proxy) => !this.#burned.has(proxy));
  }

  #choose(): ProxyChoice {
    const usable = this.#usable();
    return usable[this.#random(usable.length)];
  }
}

function size({ groups }: ProxyList): number {
  return groups.reduce((sum, group) => sum + group.length, 0);
}
