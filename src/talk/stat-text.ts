// What `cvmfs_config stat` prints (client.md §9.5), in its long form and as a table.
import type { MountStatus } from './mount-status.ts';

/** A line each. */
export function statLines(status: MountStatus): string[] {
  const { cache, host, proxy, online } = status;
  const expiry = status.expiresMinutes === null ? 'never expires' : `expires in ${status.expiresMinutes} minutes`;
  return [
    `Version: ${status.version}.0`,
    `PID: ${status.pid}`,
    `Uptime: ${status.uptimeMinutes} minutes`,
    `Memory Usage: ${status.memoryKiB}k`,
    `File Catalog Revision: ${status.revision} (${expiry})`,
    `File Catalog ID: ${status.rootHash}`,
    `No. Active File Catalogs: ${status.catalogs}`,
    `Cache Usage: ${cache.usedKiB ?? 0}k / ${cache.limitKiB ?? 0}k`,
    `File Descriptor Usage: ${status.openFiles} / ${status.maxFiles}`,
    `No. Open Directories: ${status.openDirectories}`,
    `No. IO Errors: ${status.ioErrors}`,
    `Connection: ${host ?? 'none'} through proxy ${proxy} (${online ? 'online' : 'offline'})`,
    `Usage: ${status.opens} open() calls (hitrate ${status.hitRate}%), ${status.directoryOpens} opendir() calls`,
    `Transfer Statistics: ${status.receivedKiB}k read, avg. speed: ${status.speedKiBps}k/s`,
  ];
}

const COLUMNS: readonly (readonly [title: string, value: (status: MountStatus) => string | number])[] = [
  ['VERSION', ({ version }) => `${version}.0`],
  ['PID', ({ pid }) => pid],
  ['UPTIME(M)', ({ uptimeMinutes }) => uptimeMinutes],
  ['MEM(K)', ({ memoryKiB }) => memoryKiB],
  ['REVISION', ({ revision }) => revision],
  ['EXPIRES(M)', ({ expiresMinutes }) => expiresMinutes ?? 'never'],
  ['NOCATALOGS', ({ catalogs }) => catalogs],
  ['CACHEUSE(K)', ({ cache }) => cache.usedKiB ?? 0],
  ['CACHEMAX(K)', ({ cache }) => cache.limitKiB ?? 0],
  ['NOFDUSE', ({ openFiles }) => openFiles],
  ['NOFDMAX', ({ maxFiles }) => maxFiles],
  ['NOIOERR', ({ ioErrors }) => ioErrors],
  ['NOOPEN', ({ opens }) => opens],
  ['HITRATE(%)', ({ hitRate }) => hitRate],
  ['RX(K)', ({ receivedKiB }) => receivedKiB],
  ['SPEED(K/S)', ({ speedKiBps }) => speedKiBps],
  ['HOST', ({ host }) => host ?? 'none'],
  ['PROXY', ({ proxy }) => proxy],
  ['ONLINE', ({ online }) => (online ? 1 : 0)],
];

/** A heading, and a line for each mount. */
export function statTable(statuses: readonly MountStatus[]): string[] {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...statuses.map((status) => COLUMNS.map(([, value]) => `${value(status)}`)),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join(' ')
      .trimEnd(),
  );
}
