// `metrics prometheus`: what is known of a mount, in the text format of Prometheus, under the names that the reference gives it
// since 2.14. Those that have no meaning here are left out, and so is the process id: it is that of another namespace.
import { COMPATIBLE_VERSION } from '../config/compatible-version.ts';
import { transfers } from '../filesystem/xattrs/magic.ts';
import type { TalkTarget } from './talk-target.ts';

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly help: string;
  /** Undefined: not known. */
  readonly value: number | undefined;
  /** Besides the repository. */
  readonly labels?: Labels;
}

const MINUTES_A_DAY = 1440;

/** Families of one or several metrics; what ends in `_total` counts, all others are gauges. */
export async function prometheusMetrics(target: TalkTarget): Promise<string> {
  const metrics = [
    ...(await cacheMetrics(target)),
    ...networkMetrics(target),
    ...mountMetrics(target),
    ...processMetrics(target),
  ];
  let text = '';
  let family = '';
  for (const { name, help, value, labels } of metrics) {
    if (value === undefined) continue;
    if (name !== family)
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n`;
    family = name;
    text += `${name}{${labelText({ repo: target.facts.fqrn, ...labels })}} ${value}\n`;
  }
  return text;
}

function labelText(labels: Labels): string {
  const quoted = (value: string) => value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(',');
}

async function cacheMetrics({ cache, facts }: TalkTarget): Promise<Metric[]> {
  const [size, volume, cleanups] = await Promise.all([
    cache.size?.(),
    cache.volume?.(),
    cache.cleanupRate?.(MINUTES_A_DAY),
  ]);
  const { requests, misses, capacity } = facts.cache();
  const ratio = requests === 0 ? undefined : 1 - misses / requests;
  return [
    { name: 'cvmfs_cache_cached_bytes', help: 'Bytes in the cache.', value: size?.used },
    { name: 'cvmfs_cache_pinned_bytes', help: 'Bytes in the cache that are not cleaned up.', value: size?.pinned },
    { name: 'cvmfs_cache_total_size_bytes', help: 'Limit of the cache.', value: capacity },
    { name: 'cvmfs_cache_physical_size_bytes', help: 'Size of the file system of the cache.', value: volume?.size },
    {
      name: 'cvmfs_cache_physical_avail_bytes',
      help: 'Free space on the file system of the cache.',
      value: volume?.available,
    },
    { name: 'cvmfs_cache_hit_ratio', help: 'Part of the objects asked for that were local, 0 to 1.', value: ratio },
    { name: 'cvmfs_cache_ncleanup24', help: 'Clean-ups of the last 24 hours.', value: cleanups },
  ];
}

function networkMetrics({ facts, network }: TalkTarget): Metric[] {
  const { bytes, downloads, milliseconds } = transfers(facts);
  const { proxied, direct } = network.timeouts();
  const proxies = network.proxies();
  return [
    { name: 'cvmfs_net_rx_bytes_total', help: 'Bytes downloaded.', value: bytes },
    { name: 'cvmfs_net_ndownload_total', help: 'Downloads.', value: downloads },
    { name: 'cvmfs_net_transfer_time_seconds_total', help: 'Time spent on downloads.', value: milliseconds / 1000 },
    ...proxies.flatMap((group, i) =>
      group.map(({ url }) => ({
        name: 'cvmfs_net_proxy',
        help: 'The proxies.',
        labels: { group: String(i), url },
        value: 1,
      })),
    ),
    {
      name: 'cvmfs_net_active_proxy',
      help: 'The proxy in use.',
      labels: { proxy: facts.network.proxy() },
      value: 1,
    },
    { name: 'cvmfs_net_timeout_seconds', help: 'Time-out of proxied connections.', value: proxied },
    { name: 'cvmfs_net_timeout_direct_seconds', help: 'Time-out of direct connections.', value: direct },
  ];
}

function mountMetrics({ facts, catalogs, mountpoint }: TalkTarget): Metric[] {
  const uptime = Math.floor((performance.now() - facts.mountedAt) / 1000);
  const now = Math.floor(Date.now() / 1000);
  const expires = facts.expires();
  const labels = { mountpoint, version: COMPATIBLE_VERSION, revision: String(catalogs.revision) };
  const [major, minor, patch] = COMPATIBLE_VERSION.split('.').map(Number);
  return [
    { name: 'cvmfs_repo', help: 'Mount point, version and revision.', labels, value: 1 },
    { name: 'cvmfs_repo_uptime_seconds', help: 'Time since the repository was mounted.', value: uptime },
    { name: 'cvmfs_repo_mount_timestamp_seconds', help: 'When it was mounted.', value: now - uptime },
    {
      name: 'cvmfs_repo_expires_seconds',
      help: 'Time until a new revision is looked for; -1: never.',
      value: expires === undefined ? -1 : Math.trunc((expires - Date.now()) / 1000),
    },
    {
      name: 'cvmfs_repo_version',
      help: 'The version as a number, such as 21200 for 2.12.0.',
      value: major * 10_000 + minor * 100 + patch,
    },
    { name: 'cvmfs_repo_revision', help: 'The mounted revision.', value: catalogs.revision },
    { name: 'cvmfs_repo_nclg', help: 'Loaded catalogs.', value: catalogs.mountpoints().length },
  ];
}

function processMetrics({ facts, catalogs }: TalkTarget): Metric[] {
  const { user, system } = process.cpuUsage();
  const { maxFiles, openFiles, openDirectories, directoryOpens, ioErrors, lastIoError } = facts.requests();
  return [
    { name: 'cvmfs_sys_cpu_user_seconds_total', help: 'Processor time in user space.', value: user / 1e6 },
    { name: 'cvmfs_sys_cpu_system_seconds_total', help: 'Processor time in the kernel.', value: system / 1e6 },
    { name: 'cvmfs_sys_memory_usage_bytes', help: 'Resident memory.', value: process.memoryUsage.rss() },
    { name: 'cvmfs_sys_maxfd', help: 'Limit of open files of the process.', value: maxFiles },
    { name: 'cvmfs_sys_usedfd', help: 'Open cached objects.', value: openFiles },
    { name: 'cvmfs_sys_useddirp', help: 'Open directories.', value: openDirectories },
    { name: 'cvmfs_sys_ndiropen', help: 'Directories whose list was read.', value: directoryOpens },
    { name: 'cvmfs_sys_inode_max', help: 'Highest inode number.', value: catalogs.inodeGauge },
    { name: 'cvmfs_sys_nioerr_total', help: 'I/O errors.', value: ioErrors },
    {
      name: 'cvmfs_sys_last_ioerr_timestamp_seconds',
      help: 'When the last I/O error was; 0: there was none.',
      value: lastIoError,
    },
  ];
}
