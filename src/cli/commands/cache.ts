// `cvmfsexec cache`: what is in the cache, and housekeeping.
import { existsSync } from 'node:fs';
import { checkCache } from '../../cache/check.ts';
import { cleanUp, listObjects, wipe } from '../../cache/maintenance.ts';
import { type OpenedCache, openCache } from '../../cache/open-cache.ts';
import { onDisk } from '../../cache/quota/accounts.ts';
import { scanObjects } from '../../cache/quota/scan.ts';
import type { CacheSettings } from '../../cache/settings.ts';
import { Parameters } from '../../config/parameters.ts';
import { fullName } from '../../config/repository-name.ts';
import { parseByteSize, readableBytes } from '../byte-sizes.ts';
import type { LaunchWords } from '../launch-words.ts';
import { cacheSettings } from '../settings/cache.ts';
import { repositorySubcommand } from './repository-arguments.ts';

const ACTIONS = ['show', 'list', 'check', 'limit', 'cleanup', 'wipe'] as const;
type Action = (typeof ACTIONS)[number];

/** Exit codes of the reference's fsck (client.md §10.1). */
const [FIXED, UNFIXED] = [1, 4];

export const main = repositorySubcommand({
  name: 'cache',
  description:
    'Show the cache and look after it: show (default), list, check, limit SIZE, cleanup SIZE, wipe. SIZE is in MB, or has a ' +
    'unit (500M, 20G); `limit default` is CVMFS_QUOTA_LIMIT again. All of it may be done while jobs use the cache. A repository ' +
    'has to be named only where each has a cache of its own. check exits 1 when it removed something, 4 when damage remains.',
  examples: [
    'cache',
    'cache check --repair',
    'cache limit 20G',
    'cache cleanup 5G',
    'cache wipe -o CVMFS_CACHE_BASE=/scratch',
  ],
  repositories: 'optional',
  configure: (command) => command.option('--repair', 'check: remove what is damaged, so that it is fetched again'),
  async run({ launch, json, flags }) {
    const { action, size, name } = wordsOf(launch.repositories);
    const settings = settingsOf(name, launch);
    const opened = openCache(settings, (line) => process.stderr.write(`cvmfsexec: ${line}\n`));
    try {
      const { result, lines, code = 0 } = await run(action, { opened, settings, size, repair: flags.repair === true });
      process.stdout.write(`${json ? JSON.stringify(result, undefined, 2) : lines.join('\n')}\n`);
      return code;
    } finally {
      opened.quota?.close();
    }
  },
});

interface Words {
  readonly action: Action;
  readonly size: string | undefined;
  readonly name: string | undefined;
}

function wordsOf([first, ...rest]: readonly string[]): Words {
  const action = ACTIONS.find((known) => known === first);
  if (!action) return { action: 'show', size: undefined, name: first };
  if (action !== 'limit' && action !== 'cleanup') return { action, size: undefined, name: rest[0] };
  if (rest[0] === undefined) throw new Error(`cache ${action} needs a size, such as 20G; see 'cvmfsexec cache --help'`);
  return { action, size: rest[0], name: rest[1] };
}

function settingsOf(name: string | undefined, launch: LaunchWords): CacheSettings {
  const sources = { options: launch.parameters, configDirectory: launch.configDirectory, environment: process.env };
  const fqrn = name === undefined ? 'cvmfs' : fullName(name, sources);
  const parameters = Parameters.load({ ...sources, fqrn });
  if (name === undefined && !parameters.isOn('CVMFS_SHARED_CACHE') && !parameters.isChosen('CVMFS_CACHE_DIR')) {
    throw new Error('each repository has a cache of its own (CVMFS_SHARED_CACHE=no): name the repository');
  }
  return cacheSettings(parameters, (line) => process.stderr.write(`cvmfsexec: ${line}\n`)).cache;
}

interface Task {
  readonly opened: OpenedCache;
  readonly settings: CacheSettings;
  readonly size: string | undefined;
  readonly repair: boolean;
}

interface Outcome {
  /** For --json. */
  readonly result: unknown;
  readonly lines: readonly string[];
  readonly code?: number;
}

function run(action: Action, task: Task): Promise<Outcome> | Outcome {
  const { directory } = task.opened;
  if (!directory) throw new Error('this cache is in the memory of each job: there is nothing to see from outside');
  switch (action) {
    case 'show':
      return show(directory.path, task);
    case 'list':
      return list(task);
    case 'check':
      return check(directory.path, task);
    case 'limit':
      return setLimit(directory.path, task);
    case 'cleanup':
      return cleanup(directory.path, task);
    case 'wipe':
      return wipeAll(directory.path, task);
  }
}

async function show(directory: string, { opened, settings }: Task): Promise<Outcome> {
  let [objects, used] = [0, 0];
  for await (const found of scanObjects(directory)) {
    objects += found.length;
    for (const { size } of found) used += onDisk(size);
  }
  const state = opened.quota?.state();
  const asked = settings.kind === 'posix' ? settings.limit : undefined;
  const limit = opened.quota?.files.limit ?? asked;
  const isCache = existsSync(`${directory}/ff`);
  const result = { directory, objects, used, limit, catalogs: state?.catalogs, pinned: state?.pinned, isCache };
  const lines = [
    `directory  ${directory}${isCache ? '' : ' (nothing stored yet)'}`,
    `objects    ${objects}`,
    `size       ${readableBytes(used)}`,
    `limit      ${limit === undefined ? 'none' : readableBytes(limit)}`,
  ];
  if (state) lines.push(`catalogs   ${readableBytes(state.catalogs)}`, `pinned     ${readableBytes(state.pinned)}`);
  return { result, lines };
}

function list({ opened }: Task): Outcome {
  const result = opened.quota ? listObjects(opened.quota.files, 'all') : [];
  return { result, lines: result.map(({ hash, size, label }) => `${hash} ${size} ${label}`) };
}

async function check(directory: string, { opened: { quota }, repair }: Task): Promise<Outcome> {
  const result = await checkCache(directory, {
    checksumOf: quota?.checksums ?? (() => undefined),
    repair,
    onRemove: (hash) => quota?.removed(hash),
  });
  const { files, unknown, damaged, removed } = result;
  const lines = damaged.map((hash) => `damaged: ${hash}`);
  lines.push(`Verified ${files} files: ${damaged.length} damaged, ${removed} removed, ${unknown} cannot be told`);
  const rest = damaged.length - removed;
  if (rest > 0 && !repair) lines.push('remove what is damaged with: cvmfsexec cache check --repair');
  return { result, lines, code: (removed > 0 ? FIXED : 0) + (rest > 0 ? UNFIXED : 0) };
}

function setLimit(directory: string, { opened: { quota }, size = '' }: Task): Outcome {
  if (!quota) throw new Error(`the cache ${directory} has no limit: it is shared with others, or read-only`);
  const bytes = size === 'default' ? undefined : bytesOf(size);
  quota.files.limit = bytes;
  const text = bytes === undefined ? 'as CVMFS_QUOTA_LIMIT says' : readableBytes(bytes);
  return { result: { directory, limit: bytes }, lines: [`limit of ${directory}: ${text}`] };
}

async function cleanup(directory: string, { opened: { quota }, size = '' }: Task): Promise<Outcome> {
  if (!quota) throw new Error(`the cache ${directory} is shared with others, or read-only: it cannot be cleaned up`);
  const done = await cleanUp(quota, bytesOf(size));
  const used = quota.state()?.used ?? 0;
  const text = done
    ? `${directory}: ${readableBytes(used)} remain`
    : `${directory}: not fully cleaned, ${readableBytes(used)} remain`;
  return { result: { directory, used, done }, lines: [text], code: done ? 0 : 1 };
}

async function wipeAll(directory: string, { opened: { quota } }: Task): Promise<Outcome> {
  const removed = await wipe(directory, quota);
  return {
    result: { directory, ...removed },
    lines: [`${directory}: ${removed.objects} objects removed (${readableBytes(removed.bytes)})`],
  };
}

function bytesOf(size: string): number {
  const bytes = parseByteSize(size);
  if (bytes === undefined) throw new Error(`'${size}' is no size: give megabytes, or a unit as in 20G`);
  return bytes;
}
