// Everything that `cvmfsexec stat` shows of a mount, as one document.
import { readFileSync, readlinkSync } from 'node:fs';
import { COMPATIBLE_VERSION } from '../config/compatible-version.ts';
import { hitRate, speed, transfers } from '../filesystem/xattrs/magic.ts';
import type { TalkTarget } from './talk-target.ts';

export interface MountStatus {
  readonly fqrn: string;
  readonly mountpoint: string;
  readonly version: string;
  /** Of cvmfsexec itself. */
  readonly program: string;
  /** In the server's pid namespace, whose name is `pidNamespace`. */
  readonly pid: number;
  readonly pidNamespace: string;
  readonly uptimeMinutes: number;
  readonly memoryKiB: number;
  readonly revision: number;
  readonly rootHash: string;
  readonly tag: string;
  /** null: never, the revision is fixed. */
  readonly expiresMinutes: number | null;
  readonly catalogs: number;
  readonly cache: {
    readonly instance: string;
    /** KiB, null: unknown. */
    readonly usedKiB: number | null;
    readonly limitKiB: number | null;
  };
  readonly openFiles: number;
  readonly maxFiles: number;
  readonly openDirectories: number;
  readonly ioErrors: number;
  /** Unix time, 0: there was none. */
  readonly lastIoError: number;
  readonly opens: number;
  readonly directoryOpens: number;
  readonly hitRate: string;
  readonly receivedKiB: number;
  readonly speedKiBps: string;
  readonly host: string | null;
  readonly hosts: readonly string[];
  readonly proxy: string;
  readonly online: boolean;
  readonly lastMessages: readonly string[];
}

export async function mountStatus(target: TalkTarget): Promise<MountStatus> {
  const { facts, catalogs, cache } = target;
  const requests = facts.requests();
  const { used, capacity } = facts.cache();
  const expires = facts.expires();
  const traffic = transfers(facts);
  return {
    fqrn: facts.fqrn,
    mountpoint: target.mountpoint,
    version: COMPATIBLE_VERSION,
    program: target.version,
    pid: process.pid,
    pidNamespace: pidNamespace(),
    uptimeMinutes: Math.floor((performance.now() - facts.mountedAt) / 60_000),
    memoryKiB: memoryKiB(),
    revision: catalogs.revision,
    rootHash: catalogs.rootHash,
    tag: facts.tag,
    expiresMinutes: expires === undefined ? null : Math.trunc((expires - Date.now()) / 60_000),
    catalogs: catalogs.mountpoints().length,
    cache: { instance: cache.describe(), usedKiB: kibibytes(used), limitKiB: kibibytes(capacity) },
    openFiles: requests.openFiles,
    maxFiles: requests.maxFiles,
    openDirectories: requests.openDirectories,
    ioErrors: requests.ioErrors,
    lastIoError: requests.lastIoError,
    opens: requests.opens,
    directoryOpens: requests.directoryOpens,
    hitRate: hitRate(facts),
    receivedKiB: Math.floor(traffic.bytes / 1024),
    speedKiBps: speed(traffic),
    host: facts.network.server() ?? null,
    hosts: facts.network.servers(),
    proxy: facts.network.proxy(),
    online: await facts.isOnline(),
    lastMessages: facts.lastMessages().split('\n').filter(Boolean),
  };
}

function kibibytes(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.floor(bytes / 1024);
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Resident. */
function memoryKiB(): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? 0);
  } catch {
    return Math.floor(process.memoryUsage.rss() / 1024);
  }
}
