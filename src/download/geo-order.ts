// Asks the Geo-API for the order of servers and fallback proxies, and remembers the answer (client.md §7.8). Never on the
// way to the user's command: the last answer is used at once, and a new one when it comes.
import { clientId } from './client-id.ts';
import { shuffled } from './dns/addresses.ts';
import { arrange, byHostName, geoPath, hostName, parseGeoAnswer, SEPARATOR } from './geo.ts';
import type { NetworkMemory } from './network-memory.ts';
import type { Proxies } from './proxies.ts';
import { DIRECT, type Sender } from './sender.ts';
import type { Server, ServerChain } from './server-chain.ts';
import type { DownloadSettings } from './settings.ts';

/** Seconds after which an answer is asked for again, by what starts then. Servers let caches keep theirs for an hour. */
const FRESH = 3600;
/** The same where nobody gave a usable answer. */
const FRESH_FAILURE = 600;
/** Servers that are asked before the configured order is kept. */
const TRIES = 3;
const MAX_ANSWER_BYTES = 4096;
/** The start of a job has better things to do. Milliseconds. */
const LATER_MS = 3000;

export interface GeoOrderOptions {
  readonly settings: DownloadSettings;
  readonly servers: ServerChain;
  readonly proxies: Proxies;
  readonly sender: Sender;
  readonly memory: NetworkMemory;
}

export class GeoOrder {
  readonly #options: GeoOrderOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GeoOrderOptions) {
    this.#options = options;
  }

  /** Takes the last answer; sees to it that there is a new one soon if that is old or missing. */
  start(): void {
    if (!this.#useful()) return;
    const note = this.#options.memory.recall('order', this.#question());
    if (note) this.#apply(note.answer.servers, note.answer.fallback);
    if (note && note.age < (note.answer.servers.length > 0 ? FRESH : FRESH_FAILURE)) return;
    const ask = () => {
      this.ask().catch(() => {});
    };
    if (note) this.#timer = setTimeout(ask, LATER_MS).unref();
    else ask();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** False: nobody gave a usable answer, and the order stays as it is. */
  async ask(): Promise<boolean> {
    const { proxies, servers, settings } = this.#options;
    await proxies.ready;
    if (proxies.failure || !this.#useful()) return false;
    const question = this.#question();
    const sorted = byHostName(servers.all.filter(({ endpoint }) => endpoint));
    const { groups, firstFallback } = proxies.named;
    const fallback = groups.slice(firstFallback);
    const separated = proxies.onlyFallback && sorted.length > 1;
    const names = [
      ...sorted.map(hostName),
      ...(separated ? [SEPARATOR] : []),
      ...fallback.map(([{ endpoint }]) => endpoint?.host ?? ''),
    ];
    const failures: string[] = [];
    for (const server of shuffled(sorted).slice(0, TRIES)) {
      try {
        const order = parseGeoAnswer(await this.#askServer(server, names), names.length);
        if (!order) throw new Error('the answer is no order of the names');
        const first = sorted.length + (separated ? 1 : 0);
        const nearest = order.filter((index) => index < sorted.length).map((index) => sorted[index].name);
        const fallbackOrder = order.filter((index) => index >= first).map((index) => index - first);
        this.#options.memory.note('order', question, { servers: nearest, fallback: fallbackOrder });
        this.#apply(nearest, fallbackOrder);
        return true;
      } catch (error) {
        failures.push(`${server.name}: ${(error as Error).message}`);
      }
    }
    this.#options.memory.note('order', question, { servers: [], fallback: [] });
    settings.warn(`no order of the servers by distance, keeping the configured one: ${failures.join('; ')}`);
    return false;
  }

  async #askServer(server: Server, names: readonly string[]): Promise<string> {
    const { proxies, sender, settings } = this.#options;
    // Fallback proxies are remote: the server shall see where this client is.
    const direct = proxies.onlyFallback && !settings.proxyStrict;
    const proxy = direct ? DIRECT : proxies.current(performance.now());
    const id = settings.proxyTemplate || (!direct && proxy.endpoint?.host) || clientId(settings.stateDirectory);
    const answer = await sender.fetch(geoPath(id, names), MAX_ANSWER_BYTES, { server, proxy });
    return answer.toString('latin1');
  }

  /** There is a choice. */
  #useful(): boolean {
    const { servers, proxies } = this.#options;
    const { groups, firstFallback } = proxies.named;
    return servers.all.filter(({ endpoint }) => endpoint).length > 1 || groups.length - firstFallback > 1;
  }

  #question(): string {
    const { servers, proxies, settings } = this.#options;
    const names = servers.all.map(({ name }) => name).sort();
    const { groups, firstFallback } = proxies.named;
    const members = groups.slice(firstFallback).map((group) => group.map(({ name }) => name).join('|'));
    return `${names.join(';')} ${members.join(';')} ${settings.proxies} ${settings.proxyTemplate}`;
  }

  #apply(names: readonly string[], fallback: readonly number[]): void {
    const { servers, proxies } = this.#options;
    if (names.length === 0) return;
    servers.reorder(arrange(servers.all, names), () => 'geo');
    proxies.reorderFallback(fallback);
  }
}
