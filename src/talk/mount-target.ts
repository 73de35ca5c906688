// What talk commands ask of, and change on, a mounted repository.
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cleanUp, cleanups, listObjects, sizesOf } from '../cache/maintenance.ts';
import type { Quota } from '../cache/quota/quota.ts';
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import { encodeRecord, journalSettings } from '../filesystem/node-journal.ts';
import type { FileContent } from '../filesystem/open-files.ts';
import { contentAt } from '../filesystem/path-content.ts';
import { ContentHash } from '../objects/hash.ts';
import { readableLabel } from '../objects/label.ts';
import { networkControl } from './network-control.ts';
import type {
  CacheControl,
  CatalogControl,
  LastingSettings,
  TalkTarget,
  UpdateControl,
  VolumeSize,
} from './talk-target.ts';

const MEGABYTE = 1 << 20;
/** In a row, for one `remount sync`. */
const MOST_REVISIONS = 100;

export function talkTarget(
  repository: MountedRepository,
  settings: RepositorySettings,
  mountpoint: string,
): TalkTarget {
  const { facts, counters, layers } = repository;
  const { source, external } = layers;
  return {
    facts,
    mountpoint,
    version: process.env.CVMFSEXEC_VERSION ?? 'development',
    deviceId: () => deviceIdOf(mountpoint),
    parameters: () => settings.parameterLines?.() ?? [],
    catalogs: catalogControl(repository),
    cache: cacheControl(repository, settings),
    network: networkControl(source),
    external: external && networkControl(external),
    updates: updateControl(repository),
    settings: lastingSettings(settings.journal),
    latencies: () => counters.latencies?.all(),
    resetErrors: () => counters.resetErrors(),
  };
}

function lastingSettings(journal: RepositorySettings['journal']): LastingSettings {
  return {
    note: (words, argument) => journal?.append(encodeRecord({ kind: 'setting', words, argument })),
    before: () => journalSettings(journal?.records ?? []),
  };
}

function updateControl(repository: MountedRepository): UpdateControl {
  const { updateControl: updates } = repository;
  return {
    maxTtl: () => Math.floor(updates.maxTtl / 60),
    setMaxTtl(minutes) {
      updates.maxTtl = minutes * 60;
    },
    async switchTo(text) {
      const hash = ContentHash.parse(text);
      return hash !== undefined && !hash.isNull && (await updates.switchTo(hash));
    },
    async remount(sync) {
      let outcome = await repository.remount();
      // A newer one may have come meanwhile: it ends with the newest.
      for (let again = 0; sync && outcome === 'switched' && again < MOST_REVISIONS; again++) {
        outcome = await repository.remount();
      }
      if (outcome === 'switched') return 'New revision applied';
      return outcome === 'up to date' || outcome === 'fixed' ? 'Catalog up to date' : 'Failed';
    },
  };
}

function catalogControl({ layers: { tree }, updateControl, operations }: MountedRepository): CatalogControl {
  return {
    dropMetadata: () => operations.forgetMetadata(),
    detachNested: () => updateControl.closeNestedCatalogs(),
    get revision() {
      return tree.root.catalog.revision;
    },
    get rootHash() {
      return tree.root.catalog.hash.toString();
    },
    mountpoints: () => tree.mountpoints,
    get entries() {
      return tree.attachedEntries;
    },
    get inodeGauge() {
      return tree.inodeGauge;
    },
  };
}

function cacheControl(repository: MountedRepository, settings: RepositorySettings): CacheControl {
  const { operations, layers } = repository;
  const { quota } = layers.store;
  return {
    describe: () => describeCache(settings),
    size: () => quota && sizesOf(quota),
    volume: () => volumeOf(settings),
    ...(quota ? quotaControl(quota) : {}),
    async evict(path) {
      const content = await contentAt(operations, path);
      for (const hash of hashesOf(content)) layers.store.evict(hash);
      return content !== undefined;
    },
    async pin(path) {
      const content = await contentAt(operations, path);
      if (!content) return false;
      try {
        for (const { request } of content.pieces) {
          await layers.store.keep(request);
          quota?.pin(request.hash, true);
        }
        return true;
      } catch {
        return false;
      }
    },
  };
}

function quotaControl(quota: Quota): Partial<CacheControl> {
  const { files } = quota;
  return {
    limit: () => Math.floor((files.limit ?? quota.limit ?? -MEGABYTE) / MEGABYTE),
    setLimit(megabytes) {
      files.limit = megabytes * MEGABYTE;
      return true;
    },
    list: (kind) => listObjects(files, kind).map(({ label }) => readableLabel(label)),
    cleanup: (bytes) => cleanUp(quota, bytes),
    cleanupRate: (minutes) => cleanups(files, minutes),
  };
}

type CacheSettings = Pick<RepositorySettings, 'cache' | 'cacheDirectory'>;

/** Not synchronous: it may be a network file system that hangs. */
async function volumeOf({ cache, cacheDirectory }: CacheSettings): Promise<VolumeSize | undefined> {
  if (cache?.kind === 'ram') return undefined;
  if (cache?.kind === 'tiered') return volumeOf({ cache: cache.upper, cacheDirectory });
  try {
    const { bsize, blocks, bavail } = await statfs(cache?.directory ?? cacheDirectory);
    return { size: bsize * blocks, available: bsize * bavail };
  } catch {
    return undefined;
  }
}

/** As the reference describes its cache managers. */
function describeCache({ cache, cacheDirectory }: CacheSettings): string {
  if (cache?.kind === 'ram') return `RAM cache manager (limit: ${Math.floor(cache.limit / 1024 / 1024)} MB)`;
  if (cache?.kind === 'tiered') {
    const [upper, lower] = [cache.upper, cache.lower].map((one) => describeCache({ cache: one, cacheDirectory }));
    return `Tiered cache manager: ${upper}; ${lower}`;
  }
  const directory = cache?.directory ?? cacheDirectory;
  return `Posix cache manager (${cache?.access === 'alien' ? 'alien cache' : 'cache'} directory: ${directory})`;
}

function hashesOf(content: FileContent | undefined) {
  return content?.pieces.map(({ request }) => request.hash) ?? [];
}

/** From the table of mounts: touching the mount would mean to wait for ourselves. */
function deviceIdOf(mountpoint: string): string {
  const escaped = mountpoint.replace(
    /[ \t\n\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n').reverse()) {
    const [, , device, , point] = line.split(' ');
    if (point === escaped) return device;
  }
  return '0:0';
}
