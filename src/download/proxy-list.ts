// The lists of proxies that people and PAC files write (client.md §7.5).
import { DownloadError } from './errors.ts';
import { type Endpoint, parseHttpUrl } from './url.ts';

export interface ProxyChoice {
  /** URL without credentials, with the address in place of the host's name where that is known; or DIRECT. */
  readonly name: string;
  /** Undefined: no proxy. */
  readonly endpoint: Endpoint | undefined;
  /** Why there is no address: it fails at once. */
  readonly unresolved?: string;
}

export interface ProxyList {
  /** In fail-over order; the load is balanced over the members of each. */
  readonly groups: readonly (readonly ProxyChoice[])[];
  /** Index of the first group of CVMFS_FALLBACK_PROXY; the number of groups when there is none. */
  readonly firstFallback: number;
}

export interface ProxyListOptions {
  /** CVMFS_HTTP_PROXY. */
  readonly proxies: string;
  /** CVMFS_FALLBACK_PROXY. */
  readonly fallback?: string;
  /** What stands for `auto`, in the same syntax. */
  readonly discovered?: string | undefined;
  /** CVMFS_PROXY_STRICT: DIRECT only where no proxy is named. */
  readonly strict?: boolean;
  readonly warn?: (line: string) => void;
}

/** What libcurl takes for a proxy without a port. */
const DEFAULT_PORT = 1080;

/** Throws DownloadError BAD_URL for a member that is no URL. The list may come out empty. */
export function parseProxyList(options: ProxyListOptions): ProxyList {
  const { proxies, fallback = '', discovered = '', strict = false, warn } = options;
  const regular = groupsOf(proxies.replace(/(?<=^|;)\s*auto\s*(?=;|$)/g, discovered));
  const all = groupsOf(fallback);
  const last = withoutDirect(all);
  if (count(last) < count(all)) warn?.('DIRECT in the list of fallback proxies is left out');
  const proxied = last.length > 0 || (strict && regular.some((group) => group.some(({ endpoint }) => endpoint)));
  const first = proxied ? withoutDirect(regular) : regular;
  return { groups: [...first, ...last], firstFallback: first.length };
}

/** Does the list ask for proxy discovery? */
export function asksForDiscovery(proxies: string): boolean {
  return proxies.split(';').some((group) => group.trim() === 'auto');
}

function groupsOf(list: string): ProxyChoice[][] {
  const groups = list.split(';').map((group) => group.split('|').map((member) => member.trim()));
  return groups.map((group) => group.filter(isProxy).map(parseProxy)).filter((group) => group.length > 0);
}

/** `auto` means something as a group of its own only. */
function isProxy(member: string): boolean {
  return member !== '' && member !== 'auto';
}

function withoutDirect(groups: ProxyChoice[][]): ProxyChoice[][] {
  return groups.map((group) => group.filter((proxy) => proxy.endpoint)).filter((group) => group.length > 0);
}

function count(groups: readonly (readonly ProxyChoice[])[]): number {
  return groups.reduce((sum, group) => sum + group.length, 0);
}

function parseProxy(text: string): ProxyChoice {
  if (text.toUpperCase() === 'DIRECT') return { name: 'DIRECT', endpoint: undefined };
  try {
    const endpoint = parseHttpUrl(text.includes('://') ? text : `http://${text}`, DEFAULT_PORT);
    return { name: endpoint.name, endpoint };
  } catch (cause) {
    throw new DownloadError('BAD_URL', `no usable proxy: ${(cause as Error).message}`, { cause });
  }
}
