// What the talk commands ask of a mount. Layers that have no answer leave a function out; the command then says so in the
// words that the reference has for it.
import type { MountFacts } from '../filesystem/mount-facts.ts';
import type { Latency } from '../filesystem/request-latencies.ts';

export interface TalkTarget {
  readonly facts: MountFacts;
  readonly mountpoint: string;
  /** Version of this program. */
  readonly version: string;
  /** `major:minor` of the mount. */
  deviceId(): string;
  /** Lines of `cvmfs2 -o parse` (client.md §9.1). */
  parameters(): readonly string[];
  readonly catalogs: CatalogControl;
  readonly cache: CacheControl;
  readonly network: NetworkControl;
  readonly external: NetworkControl | undefined;
  readonly updates: UpdateControl;
  readonly settings: LastingSettings;
  /** Undefined: not measured. */
  latencies(): readonly Latency[] | undefined;
  resetErrors(): void;
}

export interface CatalogControl {
  readonly revision: number;
  readonly rootHash: string;
  /** Paths of the open catalogs, '' for the root catalog. */
  mountpoints(): readonly string[];
  /** Sum of the entries of attached catalogs, and the gauge of inode numbers. */
  readonly entries: number;
  readonly inodeGauge: number;
  /** Closes all but the root catalog; they are opened again when they are used. */
  detachNested(): Promise<void>;
  /** Forgets what was looked up in catalogs. */
  dropMetadata(): void;
}

export interface CacheControl {
  /** Such as `Posix cache manager (cache directory: /path)`. */
  describe(): string;
  /** undefined: not known. */
  size?(): Promise<CacheSize | undefined> | CacheSize | undefined;
  /** Of the file system that the cache is on; undefined: not known. */
  volume?(): Promise<VolumeSize | undefined>;
  list?(kind: 'all' | 'pinned' | 'catalogs'): Promise<readonly string[]> | readonly string[];
  /** MiB, as CVMFS_QUOTA_LIMIT. */
  limit?(): number;
  setLimit?(megabytes: number): Promise<boolean> | boolean;
  /** False: could not be cleaned up so far. */
  cleanup?(bytes: number): Promise<boolean> | boolean;
  /** Clean-ups of the last `minutes`. */
  cleanupRate?(minutes: number): Promise<number> | number;
  /** Removes the objects of a regular file; false: there is no such file. */
  evict(path: string): Promise<boolean>;
  /** Stores them, and keeps them where there is a quota; false: no such file, or they cannot be stored. */
  pin(path: string): Promise<boolean>;
}

export interface CacheSize {
  /** Bytes. */
  readonly used: number;
  readonly pinned: number;
}

/** Bytes. */
export interface VolumeSize {
  readonly size: number;
  /** To this user. */
  readonly available: number;
}

export interface HostInfo {
  readonly url: string;
  readonly distance: 'unprobed' | 'geo' | 'down' | number;
  readonly active: boolean;
}

export interface ProxyInfo {
  readonly url: string;
  /** As it was named; undefined for DIRECT. */
  readonly host: string | undefined;
  /** Seconds until it is resolved again. */
  readonly ttl: number | undefined;
  readonly unresolved: boolean;
  readonly active: boolean;
}

export interface NetworkControl {
  hosts(): readonly HostInfo[];
  proxies(): readonly (readonly ProxyInfo[])[];
  /** Index; undefined: there are none. */
  firstFallback(): number | undefined;
  /** Seconds. */
  timeouts(): { readonly proxied: number; readonly direct: number };
  setTimeouts?(proxied: number, direct: number): void;
  switchHost(): void;
  setHosts?(list: string): void;
  probe?(): Promise<void>;
  /** False: no usable answer. */
  probeGeo?(): Promise<boolean>;
  rebalance?(): void;
  switchProxyGroup?(): void;
  /** Throws for a list that makes no sense. */
  setProxies?(list: string): void;
  setFallbackProxies?(list: string): void;
  nameServer?(): string | undefined;
  setNameServer?(address: string): void;
}

export interface UpdateControl {
  /** Minutes, 0: no limit. */
  maxTtl(): number;
  setMaxTtl(minutes: number): void;
  /** One of the reference's answers (client.md §9.4). */
  remount(sync: boolean): Promise<string>;
  /** Goes over to another root catalog. False: it cannot be used. */
  switchTo(hash: string): Promise<boolean>;
}

/** What was set by commands, for the server that takes over when this one is killed. */
export interface LastingSettings {
  /** Throws where that cannot be written down. */
  note(words: string, argument: string): void;
  /** Of the servers before this one, in order. */
  before(): readonly { readonly words: string; readonly argument: string }[];
}
