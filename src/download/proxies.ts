// The proxies of a downloader: from the lists that people wrote, through discovery and name resolution, to those in use.
import type { Resolver } from './dns/resolver.ts';
import { DownloadError } from './errors.ts';
import type { NetworkMemory } from './network-memory.ts';
import { namesOf, ProxyAddresses } from './proxy-addresses.ts';
import { type Discovery, discoverProxies } from './proxy-discovery.ts';
import { ProxyGroups } from './proxy-groups.ts';
import { asksForDiscovery, type ProxyChoice, type ProxyList, parseProxyList } from './proxy-list.ts';
import { DIRECT, type Sender } from './sender.ts';
import type { Server } from './server-chain.ts';
import type { DownloadSettings } from './settings.ts';

/** Seconds for which a discovery is as good as new, and for which it is better than to wait for another one. */
const FRESH = 600;
const USABLE = 86_400;
/** Milliseconds to wait for a sign of life of a PAC server, and then for its answer, where there is something else to go on with. */
const SIGN_OF_LIFE_MS = 250;
const ANSWER_MS = 6000;
/** How long the other members of a group are waited for when one is resolved. Milliseconds. */
const OTHERS_MS = 100;
/** How often a name that could not be resolved is tried again, and a roaming machine looks around. Milliseconds. */
const AGAIN_MS = 10_000;
const ROAMING_MS = 5000;

export interface ProxiesOptions {
  readonly settings: DownloadSettings;
  readonly resolver: Resolver;
  readonly sender: Sender;
  readonly memory: NetworkMemory;
  /** Whose proxies are to be discovered. */
  readonly servers: () => readonly Server[];
}

export class Proxies {
  readonly groups: ProxyGroups;
  readonly #options: ProxiesOptions;
  #regular: string;
  #fallback: string;
  #discovered = '';
  /** As written, before names became addresses. */
  #named: ProxyList;
  #ready: Promise<void> | undefined;
  #failure: DownloadError | undefined;
  readonly #addresses: ProxyAddresses;
  #resolving = false;
  /** Of the resolver, when the names were last asked for. */
  #roams = 0;
  #resolveAgainAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /** Throws DownloadError BAD_URL when a proxy is not usable, or there is none. */
  constructor(options: ProxiesOptions) {
    const { settings } = options;
    this.#options = options;
    this.#addresses = new ProxyAddresses(options.resolver, settings.maxAddressesPerProxy);
    this.#regular = settings.proxies;
    this.#fallback = settings.fallbackProxies;
    const answer = asksForDiscovery(this.#regular) ? this.#recall() : { proxies: '', age: 'certain' };
    this.#discovered = answer?.proxies ?? '';
    this.#named = this.#parse();
    const usable = this.#named.groups.length > 0;
    if (answer?.age === 'certain' && !usable) throw noProxy(this.#regular);
    const { proxyResetAfter: resetAfter, proxyShard: shard } = settings;
    this.groups = new ProxyGroups(orDirect(this.#named), { resetAfter, shard });
    const settled = answer !== undefined && answer.age !== 'old' && usable;
    const preparing = settled ? this.#resolveFirst() : this.#discover(answer !== undefined && usable);
    this.#ready = preparing?.finally(() => {
      this.#ready = undefined;
    });
  }

  /** To be waited for before the first request; undefined: nothing to wait for. */
  get ready(): Promise<void> | undefined {
    return this.#ready;
  }

  /** Why there is no proxy to use: nothing must be sent. */
  get failure(): DownloadError | undefined {
    return this.#failure;
  }

  current(now: number, key?: number): ProxyChoice {
    if (now > this.#resolveAgainAt) this.#resolveAgain(now);
    return this.groups.current(now, key);
  }

  /** When the proxy's name has to be resolved again: milliseconds of performance.now(). */
  expires(proxy: ProxyChoice): number {
    return this.#addresses.expires(proxy);
  }

  /** Does what is used depend on fallback proxies alone? */
  get onlyFallback(): boolean {
    return this.groups.firstFallback === 0;
  }

  /** The proxies as they are named, group by group: what the Geo-API sorts. */
  get named(): ProxyList {
    return this.#named;
  }

  /** Other proxies in place of CVMFS_HTTP_PROXY. Throws DownloadError BAD_URL. */
  setRegular(list: string): void {
    this.#set(list, this.#fallback);
  }

  /** Other proxies in place of CVMFS_FALLBACK_PROXY. Throws DownloadError BAD_URL. */
  setFallback(list: string): void {
    this.#set(this.#regular, list);
  }

  /** Another order of the fallback groups, by their indices. */
  reorderFallback(order: readonly number[]): void {
    const { groups, firstFallback } = this.#named;
    const fallback = groups.slice(firstFallback);
    if (order.length !== fallback.length || order.every((index, i) => index === i)) return;
    this.#named = { groups: [...groups.slice(0, firstFallback), ...order.map((i) => fallback[i])], firstFallback };
    this.#apply(false);
  }

  close(): void {
    this.#closed = true;
  }

  #set(regular: string, fallback: string): void {
    const list = this.#parse(regular, fallback);
    if (list.groups.length === 0) throw noProxy(regular);
    this.#regular = regular;
    this.#fallback = fallback;
    this.#named = list;
    this.#failure = undefined;
    this.#apply(false);
    this.#resolve();
  }

  #parse(proxies = this.#regular, fallback = this.#fallback): ProxyList {
    const { proxyStrict: strict, warn } = this.#options.settings;
    return parseProxyList({ proxies, fallback, discovered: this.#discovered, strict, warn });
  }

  // Discovery

  #question(): string {
    const { pacUrls } = this.#options.settings;
    const names = this.#options.servers().map(({ name }) => name);
    // Their order may change while they are in use.
    return `${pacUrls.join(';')} for ${names.sort().join(';')}`;
  }

  /** What is known already: the environment's proxy, that there is nobody to ask, or the last answer. */
  #recall(): { readonly proxies: string; readonly age: 'certain' | 'new' | 'old' } | undefined {
    const { settings, memory } = this.#options;
    const { http_proxy: environment } = settings.environment;
    if (environment) return { proxies: environment, age: 'certain' };
    if (settings.pacUrls.length === 0) return { proxies: '', age: 'certain' };
    const note = memory.recall('proxies', this.#question());
    if (!note || note.age > USABLE) return undefined;
    // That there was nobody to ask is no licence.
    if (note.answer === '' && settings.proxyStrict) return undefined;
    return { proxies: note.answer, age: note.age < FRESH ? 'new' : 'old' };
  }

  /** Resolves when the proxies can be used; goes on asking in the background where there is something to begin with. */
  async #discover(known: boolean): Promise<void> {
    let answered: () => void = () => {};
    const signOfLife = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const { settings, sender, resolver } = this.#options;
    const { pacUrls, warn } = settings;
    const servers = this.#options.servers();
    const asking = discoverProxies({ pacUrls, servers, sender, resolver, warn, answered }).then((found) =>
      this.#found(found),
    );
    // The last answer is used at once: if it has become wrong, fail-over and the new one put it right.
    if (known) {
      await this.#resolveFirst();
      return;
    }
    const strictly = settings.proxyStrict || this.#named.groups.length === 0;
    if (strictly) return asking;
    let alive = false;
    signOfLife.then(() => {
      alive = true;
    });
    await Promise.race([asking, sleep(SIGN_OF_LIFE_MS)]);
    if (alive) await Promise.race([asking, sleep(ANSWER_MS)]);
    await this.#resolveFirst();
  }

  async #found({ proxies, failure }: Discovery): Promise<void> {
    if (this.#closed) return;
    const { settings, memory } = this.#options;
    const question = this.#question();
    if (proxies !== undefined) memory.note('proxies', question, proxies);
    const last = proxies ?? memory.recall('proxies', question)?.answer;
    if (failure !== undefined) settings.warn(last ? `${failure}; using the last answer: ${last}` : failure);
    if (last === undefined && settings.proxyStrict) {
      this.#failure = new DownloadError('BAD_URL', `${failure} (CVMFS_PROXY_STRICT forbids to go on without a proxy)`);
      return;
    }
    const before = this.#discovered;
    this.#discovered = last ?? '';
    try {
      const list = this.#parse();
      if (list.groups.length === 0) {
        this.#failure = new DownloadError('BAD_URL', failure ?? noProxy(this.#regular).message);
        return;
      }
      this.#failure = undefined;
      if (this.#discovered === before && this.#named.groups.length > 0) return;
      this.#named = list;
    } catch (error) {
      this.#discovered = before;
      settings.warn(`proxy discovery: ${(error as Error).message}`);
      if (this.#named.groups.length === 0) this.#failure = error as DownloadError;
      return;
    }
    this.#apply(false);
    await this.#resolveFirst();
  }

  // Names and addresses

  /** Resolves when the first group can be used; undefined: at once. The others follow. */
  #resolveFirst(): Promise<void> | undefined {
    const [first = [], ...others] = this.#named.groups;
    const names = namesOf(first);
    if (names.length === 0 && namesOf(others.flat()).length === 0) return undefined;
    const asking = names.filter((name) => !this.#options.resolver.known(name)).map((name) => this.#addresses.ask(name));
    this.#resolve();
    if (asking.length === 0) return undefined;
    const anyOfThem = Promise.any(asking).then(
      () => sleep(OTHERS_MS),
      () => {},
    );
    return Promise.race([Promise.allSettled(asking), anyOfThem]).then(() => this.#apply(true));
  }

  /** Asks for all names, and takes over what came out. */
  async #resolve(): Promise<void> {
    this.#resolving = true;
    await Promise.allSettled(namesOf(this.#named.groups.flat()).map((name) => this.#addresses.ask(name)));
    this.#resolving = false;
    if (!this.#closed) this.#apply(true);
  }

  #resolveAgain(now: number): void {
    const { resolver, settings } = this.#options;
    this.#resolveAgainAt = now + (settings.dns.roaming ? ROAMING_MS : AGAIN_MS);
    if (this.#resolving) return;
    const roams = resolver.roam();
    if (settings.dns.roaming && roams === this.#roams && now < this.#earliestExpiry()) return;
    this.#roams = roams;
    this.#resolve();
  }

  /** When the first of the addresses in use has to be asked for again: milliseconds of performance.now(). */
  #earliestExpiry(): number {
    return Math.min(...this.groups.groups.flat().map((proxy) => this.#addresses.expires(proxy)));
  }

  /** Puts addresses in place of names, as far as they are known. */
  #apply(same: boolean): void {
    const before = new Map(this.groups.groups.flat().map((proxy) => [proxy.name, proxy]));
    const { groups: named, firstFallback } = orDirect(this.#named);
    const groups = named.map((group) => group.flatMap((proxy) => this.#addresses.of(proxy)));
    // What has not changed stays the same object, which may be in use or burned.
    const kept = groups.map((group) =>
      group.map((proxy) => {
        const old = before.get(proxy.name);
        return old && old.unresolved === proxy.unresolved ? old : proxy;
      }),
    );
    this.groups.replace({ groups: kept, firstFallback }, same);
    const { roaming } = this.#options.settings.dns;
    const now = performance.now();
    const expiry = this.#earliestExpiry();
    this.#resolveAgainAt = roaming ? now + ROAMING_MS : expiry > now ? expiry : now + AGAIN_MS;
  }
}

/** A list must not be empty; nothing is sent as long as there is a `failure`, or before `ready`. */
function orDirect(list: ProxyList): ProxyList {
  return list.groups.length > 0 ? list : { groups: [[DIRECT]], firstFallback: 1 };
}

function noProxy(list: string): DownloadError {
  return new DownloadError('BAD_URL', `no proxy in '${list}': set CVMFS_HTTP_PROXY to a list of proxies, or to DIRECT`);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
