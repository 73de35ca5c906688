// The servers of a repository in their order, and which one is in use (client.md §7.6, §7.9).
import { DownloadError } from './errors.ts';
import { type Endpoint, parseHttpUrl } from './url.ts';

export type Server =
  | { readonly name: string; readonly endpoint: Endpoint; readonly directory?: undefined }
  | { readonly name: string; readonly endpoint?: undefined; readonly directory: string };

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
  readonly servers: readonly Server[];
  #resetAfterMs: number;
  #index = 0;
  #leftFirstAt = 0;

  constructor(urls: readonly string[], resetAfterSeconds: number) {
    this.servers = urls.map(parseServer);
    this.#resetAfterMs = resetAfterSeconds * 1000;
  }

  /** The server in use; the first one again when the reset time is over. */
  current(now: number): Server {
    if (this.#index !== 0 && this.#resetAfterMs > 0 && now > this.#leftFirstAt + this.#resetAfterMs) this.#index = 0;
    return this.servers[this.#index];
  }

  /** Goes on to the next server unless somebody else has left `failed` already. True when it moved. */
  leave(failed: Server, now: number): boolean {
    if (this.servers.length < 2 || this.servers[this.#index] !== failed) return false;
    if (this.#index === 0) this.#leftFirstAt = now;
    this.#index = (this.#index + 1) % this.servers.length;
    return true;
  }
}
