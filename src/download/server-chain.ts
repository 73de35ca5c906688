// The servers of a repository in their order, and which one is in use (client.md §7.6, §7.9).
import { DownloadError } from './errors.ts';
import { type Endpoint, parseHttpUrl } from './url.ts';

export type Server =
  | { readonly name: string; readonly endpoint: Endpoint; readonly directory?: undefined }
  | { readonly name: string; readonly endpoint?: undefined; readonly directory: string };

/** What is known of a server's distance: nothing, its place in the Geo-API's order, milliseconds, or that it is down. */
export type Distance = 'unprobed' | 'geo' | 'down' | number;

/** Parses one base URL. Throws DownloadError BAD_URL. */
export function parseServer(url: string): Server {
  if (!/^file:/i.test(url)) {
    const endpoint = parseHttpUrl(url);
    return { name: endpoint.name, endpoint };
  }
  const match = /^file:\/\/(?:localhost)?(\/[^\0]*)$/i.exec(url);
  if (!match) throw new DownloadError('BAD_URL', `not a usable URL: '${url}' (file:// and an absolute path)`);
  const directory = match[1].replace(/\/+$/, '');
  return { name: `file://${directory}`, directory };
}

export class ServerChain {
  readonly #resetAfterMs: number;
  /** CVMFS_MAX_SERVERS; 0: all. */
  readonly #limit: number;
  #all: readonly Server[] = [];
  #used: readonly Server[] = [];
  #distances = new Map<Server, Distance>();
  #index = 0;
  #leftFirstAt = 0;

  /** `limit`: how many of them are used, the first in their order; 0: all. */
  constructor(urls: readonly string[], resetAfterSeconds: number, limit = 0) {
    this.#resetAfterMs = resetAfterSeconds * 1000;
    this.#limit = limit;
    this.replace(urls);
  }

  /** Those that are used, in their order. */
  get servers(): readonly Server[] {
    return this.#used;
  }

  /** All that were named, the unused ones behind the others. */
  get all(): readonly Server[] {
    return this.#all;
  }

  distance(server: Server): Distance {
    return this.#distances.get(server) ?? 'unprobed';
  }

  /** The server in use; the first one again when the reset time is over. */
  current(now: number): Server {
    if (this.#index !== 0 && this.#resetAfterMs > 0 && now > this.#leftFirstAt + this.#resetAfterMs) this.#index = 0;
    return this.#used[this.#index];
  }

  /** Goes on to the next server unless somebody else has left `failed` already. True when it moved. */
  leave(failed: Server, now: number): boolean {
    if (this.#used.length < 2 || this.#used[this.#index] !== failed) return false;
    if (this.#index === 0) this.#leftFirstAt = now;
    this.#index = (this.#index + 1) % this.#used.length;
    return true;
  }

  /** Uses `server`, if it is there: it is the best there is. */
  returnTo(server: Server, now: number): void {
    const index = this.#used.indexOf(server);
    if (index < 0) return;
    if (index !== 0 && this.#index === 0) this.#leftFirstAt = now;
    this.#index = index;
  }

  /** Other servers. Throws DownloadError BAD_URL. */
  replace(urls: readonly string[]): void {
    this.#arrange(urls.map(parseServer));
    this.#distances.clear();
  }

  /** The same servers in another order; the first one is used from now on. */
  reorder(servers: readonly Server[], distance: (server: Server) => Distance): void {
    this.#distances = new Map(servers.map((server) => [server, distance(server)]));
    this.#arrange(servers);
  }

  #arrange(servers: readonly Server[]): void {
    this.#all = servers;
    this.#used = this.#limit > 0 ? servers.slice(0, this.#limit) : servers;
    this.#index = 0;
  }
}
