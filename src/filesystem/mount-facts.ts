// What a mount tells of itself, in extended attributes and over its socket. Everything is as of the moment it is asked.
import type { Manifest } from '../repository/manifest.ts';

export interface MountFacts {
  readonly fqrn: string;
  /** By performance.now(). */
  readonly mountedAt: number;
  /** Name of the tag that was mounted, '' for none. */
  readonly tag: string;
  /** PEM of each. */
  readonly masterKeys: readonly string[];
  /** When the revision has to be asked for again, by Date.now(); undefined: it is fixed. */
  expires(): number | undefined;
  readonly network: NetworkFacts;
  /** Of the servers for external data; undefined where none are configured. */
  readonly external: NetworkFacts | undefined;
  cache(): CacheFacts;
  requests(): RequestFacts;
  /** The last messages of the log, a line each. */
  lastMessages(): string;
  /** A server answers now. */
  isOnline(): Promise<boolean>;
  /** The verified manifest of the mounted revision or of a newer one. */
  manifest(): Promise<Manifest>;
}

export interface NetworkFacts {
  /** URL of the server in use; undefined: there is none. */
  server(): string | undefined;
  /** In their order, beginning with the one in use. */
  servers(): readonly string[];
  /** The proxy in use, or DIRECT. */
  proxy(): string;
  /** Of all groups. */
  proxies(): readonly string[];
  /** Seconds. */
  timeouts(): { readonly proxied: number; readonly direct: number };
  transfers(): TransferFacts;
}

export interface TransferFacts {
  /** Objects. */
  readonly downloads: number;
  readonly bytes: number;
  /** Summed up over all downloads. */
  readonly milliseconds: number;
}

export interface CacheFacts {
  /** Objects that were asked for. */
  readonly requests: number;
  /** Those of them that were not local. */
  readonly misses: number;
  /** Clean-ups of the last 24 hours; undefined: unknown. */
  readonly cleanups?: number;
  /** Bytes. */
  readonly used?: number;
  /** Bytes; undefined: no quota is kept. */
  readonly capacity?: number;
}

export interface RequestFacts {
  /** Opened files as far as the kernel asks for them. */
  readonly opens: number;
  readonly directoryOpens: number;
  /** Answered with EIO. */
  readonly ioErrors: number;
  /** Seconds since 1970, 0: there was none. */
  readonly lastIoError: number;
  /** Descriptors of cached objects. */
  readonly openFiles: number;
  readonly openDirectories: number;
  /** Limit of open files of the process. */
  readonly maxFiles: number;
}
