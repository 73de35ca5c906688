// `internal affairs`: a report for people, and all counters as `Name|Value|Description` for programs (client.md §9.4).
import { hitRate, speed, transfers } from '../filesystem/xattrs/magic.ts';
import { mountStatus } from './mount-status.ts';
import type { TalkTarget } from './talk-target.ts';

type Counter = readonly [name: string, value: number, description: string];

export async function internalAffairs(target: TalkTarget): Promise<string> {
  const status = await mountStatus(target);
  const { facts, catalogs } = target;
  const traffic = transfers(facts);
  const report = [
    `Mounted ${status.fqrn} on ${status.mountpoint}, revision ${status.revision}, for ${status.uptimeMinutes} minutes`,
    `Program: cvmfsexec ${status.program}, process ${status.pid}, ${status.memoryKiB} KiB resident, Node ${process.version}`,
    `Catalogs: ${status.catalogs} attached with ${catalogs.entries} entries, inode numbers up to ${catalogs.inodeGauge}`,
    `Cache: ${status.cache.instance}, hit rate ${hitRate(facts)}%`,
    `Network: ${traffic.downloads} downloads, ${status.receivedKiB} KiB, ${speed(traffic)} KiB/s, host ${status.host ?? 'none'}, proxy ${status.proxy}`,
  ];
  const lines = counters(target).map(([name, value, description]) => `${name}|${value}|${description}`);
  return `${report.join('\n')}\n\nRaw Counters:\n${lines.join('\n')}`;
}

export function counters({ facts, catalogs }: TalkTarget): Counter[] {
  const requests = facts.requests();
  const cache = facts.cache();
  const regular = facts.network.transfers();
  const external = facts.external?.transfers();
  return [
    ['cache.n_requests', cache.requests, 'Number of objects asked for'],
    ['cache.n_misses', cache.misses, 'Number of objects that were not local'],
    ['catalog_mgr.n_attached', catalogs.mountpoints().length, 'Number of attached catalogs'],
    ['catalog_mgr.n_entries', catalogs.entries, 'Number of entries of attached catalogs'],
    ['cvmfs.n_fs_open', requests.opens, 'Number of files whose content was first read'],
    ['cvmfs.n_fs_dir_open', requests.directoryOpens, 'Number of directories whose list was read'],
    ['cvmfs.n_io_error', requests.ioErrors, 'Number of I/O errors'],
    ['cvmfs.no_open_files', requests.openFiles, 'Number of open cached objects'],
    ['download.n_requests', regular.downloads, 'Number of downloads'],
    ['download.sz_transferred_bytes', regular.bytes, 'Number of transferred bytes'],
    ['download.sz_transfer_time', Math.round(regular.milliseconds), 'Transfer time (milliseconds)'],
    ['download-external.n_requests', external?.downloads ?? 0, 'Number of external downloads'],
    ['download-external.sz_transferred_bytes', external?.bytes ?? 0, 'Number of external transferred bytes'],
    [
      'download-external.sz_transfer_time',
      Math.round(external?.milliseconds ?? 0),
      'External transfer time (milliseconds)',
    ],
  ];
}
