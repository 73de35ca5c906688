// What concerns the mount as a whole: revision, catalogs, updates, process, counters.
import { COMPATIBLE_VERSION } from '../../config/compatible-version.ts';
import { localTime } from '../../log/times.ts';
import { type TalkCommand, unsupported, wholeNumber } from '../command.ts';
import { internalAffairs } from '../internal-affairs.ts';
import { mountStatus } from '../mount-status.ts';
import { prometheusMetrics } from '../prometheus.ts';
import type { TalkTarget } from '../talk-target.ts';

export const MOUNT_COMMANDS: readonly TalkCommand[] = [
  { words: 'mountpoint', run: ({ mountpoint }) => mountpoint },
  { words: 'device id', run: (target) => target.deviceId() },
  { words: 'remount', run: ({ updates }) => updates.remount(false) },
  { words: 'remount sync', run: ({ updates }) => updates.remount(true) },
  {
    words: 'chroot',
    argument: '<hash>',
    run: async ({ updates }, hash) => ((await updates.switchTo(hash)) ? 'OK' : 'Failed'),
  },
  {
    words: 'detach nested catalogs',
    async run({ catalogs }) {
      await catalogs.detachNested();
      return 'OK';
    },
  },
  {
    words: 'drop metadata caches',
    run({ catalogs }) {
      catalogs.dropMetadata();
      return 'OK';
    },
  },
  { words: 'revision', run: ({ catalogs }) => String(catalogs.revision) },
  {
    words: 'max ttl info',
    run({ updates }) {
      const minutes = updates.maxTtl();
      return minutes === 0 ? 'unset' : `${minutes} minutes`;
    },
  },
  {
    words: 'max ttl set',
    argument: '<minutes>',
    lasting: true,
    run({ updates }, argument) {
      const minutes = wholeNumber(argument);
      if (minutes === undefined) return 'Usage: max ttl set <minutes>';
      updates.setMaxTtl(minutes);
      return 'OK';
    },
  },
  { words: 'open catalogs', run: ({ catalogs }) => catalogTree(catalogs.mountpoints()) },
  { words: 'internal affairs', run: internalAffairs },
  { words: 'metrics prometheus', run: prometheusMetrics },
  {
    words: 'reset error counters',
    run(target) {
      target.resetErrors();
      return 'OK';
    },
  },
  { words: 'pid', run: () => String(process.pid) },
  // Each server manages its cache by itself.
  { words: 'pid cachemgr', run: () => String(process.pid) },
  unsupported('pid watchdog', 'there is no watchdog process'),
  { words: 'parameters', run: (target) => target.parameters().join('\n') },
  {
    words: 'hotpatch history',
    run({ facts }) {
      const time = localTime(new Date(Date.now() - (performance.now() - facts.mountedAt)));
      const what = [
        `start of CernVM-FS loader ${COMPATIBLE_VERSION}`,
        `loaded CernVM-FS Fuse Module ${COMPATIBLE_VERSION}`,
      ];
      return what.map((text) => `${time}    (${text})`).join('\n');
    },
  },
  unsupported('vfs inodes', 'nodes are computed, there is no table of them'),
  unsupported('vfs entries', 'nodes are computed, there is no table of them'),
  {
    words: 'version',
    run: () => `${COMPATIBLE_VERSION} (CernVM-FS Fuse Module)\n${COMPATIBLE_VERSION} (Loader)`,
  },
  { words: 'version patchlevel', run: () => '0' },
  { words: 'tracebuffer flush', run: () => 'OK' },
  { words: 'latency', run: latencyTable },
  unsupported('tear down to read-only', 'the mount is read-only'),
  unsupported('send mount fd', 'the mount cannot be handed over'),
  // Not of the reference: everything at once, for our own programs.
  { words: 'status json', run: async (target) => ascii(JSON.stringify(await mountStatus(target))) },
];

const QUANTILES = [0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999];

/** CSV: how long requests took. */
function latencyTable({ facts, latencies }: TalkTarget): string {
  const measured = latencies();
  if (!measured) return 'Unsupported: latencies are not measured (set CVMFS_INSTRUMENT_FUSE=yes)';
  const head = [
    '"repository"',
    '"action"',
    '"total_count"',
    '"time_unit"',
    ...QUANTILES.map((part) => part.toFixed(5)),
  ];
  const rows = measured.map(({ action, count, quantile }) => [
    `"${facts.fqrn}"`,
    `"${action}"`,
    count,
    '"nanoseconds"',
    ...QUANTILES.map(quantile),
  ]);
  return [head, ...rows].map((row) => `${row.join(',')}\n`).join('');
}

/** A line for each catalog, indented by how many it is in. */
export function catalogTree(mountpoints: readonly string[]): string {
  const open: string[] = [];
  const lines = [...mountpoints].sort().map((path) => {
    while (open.length > 0 && !isBelow(path, open[open.length - 1])) open.pop();
    const line = `${' '.repeat(4 * open.length)}-> ${path}`;
    open.push(path);
    return line;
  });
  return lines.join('\n');
}

function isBelow(path: string, directory: string): boolean {
  return directory === '' || path.startsWith(`${directory}/`);
}

/** Answers are bytes; JSON can say everything in ASCII. */
function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
