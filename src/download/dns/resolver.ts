// Names to addresses within a bounded time: hosts file, name servers, the system's own look-up (client.md §7.11).
// Not getaddrinfo in the first place: it may hang for minutes, says nothing about how long an answer is good for, and
// occupies one of the threads that read files.
import type { Resolver as Channel } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { DownloadError } from '../errors.ts';
import { type Addresses, type AddressList, type Family, ordered, shuffled } from './addresses.ts';
import { findInHosts, readHostsFile } from './hosts-file.ts';
import { candidates, readSearch, resolvConfVersion } from './resolv-conf.ts';
import { systemLookup } from './system-lookup.ts';

export interface ResolverSettings {
  /** Seconds for one try. CVMFS_DNS_TIMEOUT. */
  readonly timeout: number;
  /** Further tries. CVMFS_DNS_RETRIES. */
  readonly retries: number;
  /** Seconds between which an answer is used, whatever its own TTL says. CVMFS_DNS_MIN_TTL, CVMFS_DNS_MAX_TTL. */
  readonly minTtl: number;
  readonly maxTtl: number;
  /** Address, with a port if need be, of the name server instead of the system's. CVMFS_DNS_SERVER. */
  readonly server: string;
  /** CVMFS_IPFAMILY_PREFER. */
  readonly family: Family;
  /** Look at /etc/resolv.conf again and again. CVMFS_DNS_ROAMING. */
  readonly roaming: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

export const DEFAULT_RESOLVER_SETTINGS: ResolverSettings = {
  timeout: 3,
  retries: 1,
  minTtl: 60,
  maxTtl: 86_400,
  server: '',
  family: 4,
  roaming: false,
  environment: process.env,
};

/** `code`: ENOTFOUND, there is no such name; EAI_AGAIN, nobody answered. Looks like an error of getaddrinfo. */
export class ResolveError extends Error {
  override readonly name = 'ResolveError';
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';
  readonly syscall = 'getaddrinfo';

  constructor(code: ResolveError['code'], host: string) {
    super(code === 'ENOTFOUND' ? `name ${host} not found` : `no answer from the name server about ${host}`);
    this.code = code;
  }
}

/** How long IPv6 addresses are waited for when there are IPv4 ones, and the other way round. Milliseconds. */
const OTHER_FAMILY_MS = 100;
const MAX_NAMES = 1000;
const LOOPBACK: AddressList = { v4: ['127.0.0.1'], v6: ['::1'] };

export class Resolver {
  readonly family: Family;
  readonly #settings: ResolverSettings;
  readonly #known = new Map<string, Addresses>();
  readonly #asking = new Map<string, Promise<Addresses>>();
  #channel: Channel | undefined;
  /** Of /etc/resolv.conf, for the channel. */
  #version = '';
  #server: string;
  /** Of /etc/resolv.conf, when it was last looked at by `roam`. */
  #place: string;
  #roams = 0;

  /** Throws DownloadError BAD_URL when the name server that is set is no address. */
  constructor(settings: Partial<ResolverSettings> = {}) {
    this.#settings = { ...DEFAULT_RESOLVER_SETTINGS, ...settings };
    checkAddress(this.#settings.server);
    this.#server = this.#settings.server;
    this.family = this.#settings.family;
    this.#place = this.#settings.roaming ? resolvConfVersion() : '';
  }

  /** What is known of the name without asking anybody. */
  known(host: string): Addresses | undefined {
    const known = this.#known.get(host);
    return known && performance.now() < known.expires ? known : undefined;
  }

  /** One question however many ask. @throws ResolveError */
  resolve(host: string): Promise<Addresses> {
    this.roam();
    const known = this.known(host);
    if (known) return Promise.resolve(known);
    const running = this.#asking.get(host);
    if (running) return running;
    const asking = this.#ask(host).finally(() => {
      if (this.#asking.get(host) === asking) this.#asking.delete(host);
    });
    this.#asking.set(host, asking);
    return asking;
  }

  /** For net.connect: addresses of both families, the preferred one first, each family in random order. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.resolve(host).then(
      ({ v4, v6 }) => {
        const found = ordered({ v4: shuffled(v4), v6: shuffled(v6) }, this.family);
        const list = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        if (options.all) callback(null, list);
        else callback(null, list[0].address, list[0].family);
      },
      (error: Error) => callback(error as NodeJS.ErrnoException, []),
    );
  };

  /** The name server that was set, or the system's first; undefined when there is none. */
  get server(): string | undefined {
    if (this.#server !== '') return this.#server;
    return process.getBuiltinModule('node:dns').getServers()[0];
  }

  /** Asks this name server from now on; '': the system's. What is known is forgotten. Throws like the constructor. */
  setServer(address: string): void {
    checkAddress(address);
    this.#server = address;
    this.#forget();
  }

  /** Where machines roam: forgets what is known if /etc/resolv.conf has changed. How often it has. */
  roam(): number {
    if (!this.#settings.roaming) return 0;
    const place = resolvConfVersion();
    if (place === this.#place) return this.#roams;
    this.#place = place;
    this.#forget();
    return ++this.#roams;
  }

  /** Also what is still being asked: it is of the other name server. */
  #forget(): void {
    this.#channel = undefined;
    this.#known.clear();
    this.#asking.clear();
  }

  async #ask(host: string): Promise<Addresses> {
    const { minTtl, maxTtl, environment } = this.#settings;
    const [server, roams] = [this.#server, this.#roams];
    const found = this.#fromHosts(host) ?? (await this.#fromServers(host));
    const v6 = environment.CVMFS_IPV4_ONLY ? [] : found.v6;
    if (found.v4.length + v6.length === 0) throw new ResolveError('ENOTFOUND', host);
    const ttl = Math.min(Math.max(found.ttl, minTtl), maxTtl);
    const addresses = { v4: found.v4, v6, expires: performance.now() + ttl * 1000 };
    if (server !== this.#server || roams !== this.#roams) return addresses;
    if (this.#known.size >= MAX_NAMES) this.#known.clear();
    this.#known.set(host, addresses);
    return addresses;
  }

  #fromHosts(host: string): (AddressList & { ttl: number }) | undefined {
    const text = readHostsFile(this.#settings.environment);
    for (const name of candidates(host, readSearch())) {
      const found = findInHosts(text, name);
      if (found) return { ...found, ttl: 0 };
    }
    return host === 'localhost' ? { ...LOOPBACK, ttl: 0 } : undefined;
  }

  async #fromServers(host: string): Promise<AddressList & { ttl: number }> {
    const { timeout, retries } = this.#settings;
    const patience = timeout * (retries + 1) * 1000;
    let code: ResolveError['code'] = 'ENOTFOUND';
    for (const name of candidates(host, readSearch())) {
      const answer = await bounded(this.#query(name), patience);
      if (typeof answer === 'object') return answer;
      if (answer !== 'nothing') code = 'EAI_AGAIN';
      // Any other name would be asked for as vainly.
      if (answer === 'silence') throw new ResolveError(code, host);
    }
    const found = this.#server === '' ? await systemLookup(host, patience) : undefined;
    if (!found) throw new ResolveError(code, host);
    return { ...found, ttl: 0 };
  }

  /** Both families at once. */
  async #query(name: string): Promise<(AddressList & { ttl: number }) | 'nothing' | 'trouble' | 'silence'> {
    const channel = this.#open();
    let outcome: 'nothing' | 'trouble' | 'silence' = 'nothing';
    const failed = ({ code }: NodeJS.ErrnoException): [] => {
      if (code === 'ETIMEOUT') outcome = 'silence';
      else if (code !== 'ENOTFOUND' && code !== 'ENODATA' && outcome === 'nothing') outcome = 'trouble';
      return [];
    };
    const four = channel.resolve4(name, { ttl: true }).catch(failed);
    const six = this.#settings.environment.CVMFS_IPV4_ONLY
      ? Promise.resolve([])
      : channel.resolve6(name, { ttl: true }).catch(failed);
    const [first, second] = this.family === 6 ? [six, four] : [four, six];
    const one = await first;
    const other = one.length > 0 ? ((await bounded(second, OTHER_FAMILY_MS)) as typeof one | 'silence') : await second;
    const records = [...one, ...(other === 'silence' ? [] : other)];
    if (records.length === 0) return outcome;
    const all = records.map((record) => record.address);
    return {
      v4: all.filter((address) => !address.includes(':')),
      v6: all.filter((address) => address.includes(':')),
      ttl: Math.min(...records.map((record) => record.ttl)),
    };
  }

  /** Made anew when the system's configuration has changed. */
  #open(): Channel {
    const version = resolvConfVersion();
    if (this.#channel && version === this.#version) return this.#channel;
    const { timeout, retries } = this.#settings;
    const { Resolver: Channel } = process.getBuiltinModule('node:dns').promises;
    const channel = new Channel({ timeout: timeout * 1000, tries: retries + 1 });
    if (this.#server !== '') channel.setServers([this.#server]);
    this.#channel = channel;
    this.#version = version;
    return channel;
  }
}

function checkAddress(server: string): void {
  if (server === '') return;
  try {
    new (process.getBuiltinModule('node:dns').promises.Resolver)().setServers([server]);
  } catch (cause) {
    throw new DownloadError('BAD_URL', `CVMFS_DNS_SERVER: '${server}' is no address of a name server`, { cause });
  }
}

function bounded<T>(promise: Promise<T>, milliseconds: number): Promise<T | 'silence'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve('silence'), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
