// One publication: a directory tree becomes the next revision of a repository. Until the last step, the rename of the
// manifest, nothing that clients see changes, and what is left over by a crash is used or removed by the next one.
import { realpathSync } from 'node:fs';
import { addMarkers, planCatalogs } from './catalog-plan.ts';
import { publishCatalogs } from './catalog-publisher.ts';
import { commitManifest } from './commit.ts';
import { ContentWriter } from './content-writer.ts';
import { entriesIn } from './counters.ts';
import { PublishError, reason } from './errors.ts';
import { addTag, advanceTags, headTag, type NewTag, readTags, storeHistory, type Tag } from './history-file.ts';
import type { ObjectFiles } from './object-files.ts';
import { readPreviousCatalogs } from './previous-catalogs.ts';
import { LOCK_FILE, withPublisherLock } from './publisher-lock.ts';
import { objectsOf, openRepository, type Repository, type RepositoryLocation } from './repository.ts';
import { checkSettings, type PublishSettings, readSettings } from './settings.ts';
import { addSnapshots } from './snapshots.ts';
import { type CatalogReference, type TreeEntry, walk } from './tree-entry.ts';
import { scanTree } from './tree-scan.ts';
import { applyXattrs, readXattrs, type XattrMap } from './xattr-scan.ts';

export interface PublishOptions extends Partial<PublishSettings> {
  /** A name for the new revision. */
  readonly tag?: NewTag;
  /** Extended attributes; default: what getfattr reads, none where it is not installed. */
  readonly xattrs?: XattrMap;
  /** Default: true, see Commit. */
  readonly durable?: boolean;
}

export interface Publication {
  readonly repository: Repository;
  /** False when the tree was the same as before: then there is no new revision. */
  readonly changed: boolean;
  /** Names in the tree, its root included; a nested catalog's directory counts in both catalogs. */
  readonly entries: number;
  readonly catalogs: number;
  readonly catalogsWritten: number;
  readonly objectsWritten: number;
  /** Bytes as stored. */
  readonly bytesWritten: number;
}

/**
 * Publishes the tree in `treeDirectory`. Unchanged objects and nested catalogs are not written again.
 * @throws PublishError
 */
export async function publish(
  location: RepositoryLocation,
  treeDirectory: string,
  options: PublishOptions = {},
): Promise<Publication> {
  const tree = resolveTree(treeDirectory);
  return publishFrom(location, options, async ({ objects, settings }) => {
    const root = await readTree(tree, options.xattrs);
    return { root, store: () => new ContentWriter(objects, settings).storeAll(tree, filesOf(root)) };
  });
}

export interface TreeSource {
  readonly objects: ObjectFiles;
  readonly settings: PublishSettings;
  /** Of the revision before. */
  readonly previous: CatalogReference;
}

export interface TreeToPublish {
  readonly root: TreeEntry;
  /** Stores the data of all files that have no content yet. */
  readonly store: () => Promise<void>;
}

/** Publishes the tree that `makeTree` makes while nobody else publishes. @throws PublishError */
export function publishFrom(
  location: RepositoryLocation,
  options: PublishOptions,
  makeTree: (source: TreeSource) => Promise<TreeToPublish>,
): Promise<Publication> {
  return withPublisherLock(location.directory, () => publishLocked(openRepository(location), options, makeTree));
}

async function publishLocked(
  repository: Repository,
  options: PublishOptions,
  makeTree: (source: TreeSource) => Promise<TreeToPublish>,
): Promise<Publication> {
  const { manifest, fqrn, keysDirectory } = repository;
  const settings = settingsFor(repository, options);
  const objects = objectsOf(repository);
  objects.removeTemporaries(LOCK_FILE);
  const tags = readTags(objects, manifest.history);
  const previousHead = headTag(tags, manifest);
  // Before hours of work, not after.
  if (options.tag !== undefined) addTag(tags, previousHead, options.tag);

  const previous = { hash: manifest.rootHash, size: manifest.rootSize };
  const { root, store } = await makeTree({ objects, settings, previous });
  await completeTree(root, settings, tags, objects);
  await store();

  const now = Math.max(Math.floor(Date.now() / 1000), manifest.publishTime);
  const catalog = await publishCatalogs(planCatalogs(root), {
    objects,
    compression: settings.compression,
    previous: readPreviousCatalogs(objects, previous),
    now,
    revision: manifest.revision + 1,
    ttl: manifest.ttl,
  });
  let newTags = tags;
  let head = previousHead;
  if (catalog.changed) {
    head = { hash: catalog.hash, size: catalog.size, revision: manifest.revision + 1, timestamp: now };
    newTags = advanceTags(tags, head);
  }
  if (options.tag !== undefined) newTags = addTag(newTags, head, options.tag);
  let newest = manifest;
  if (newTags !== tags) {
    const history = await storeHistory(objects, fqrn, newTags, manifest.history);
    const { hash: rootHash, size: rootSize, revision } = head;
    const next = { ...manifest, rootHash, rootSize, revision, history, publishTime: now };
    newest = await commitManifest({ objects, keysDirectory, manifest: next, durable: options.durable ?? true });
  }
  return {
    repository: { ...repository, manifest: newest },
    changed: catalog.changed,
    entries: entriesIn(catalog.counters),
    catalogs: catalog.total,
    catalogsWritten: catalog.written,
    objectsWritten: objects.written,
    bytesWritten: objects.writtenBytes,
  };
}

function resolveTree(directory: string): string {
  try {
    return realpathSync(directory);
  } catch (error) {
    throw new PublishError('TREE', `cannot publish ${directory}: ${reason(error)}`, error);
  }
}

function settingsFor({ directory }: Repository, options: PublishOptions): PublishSettings {
  const settings = readSettings(directory);
  return checkSettings({
    compression: options.compression ?? settings.compression,
    chunkSizes: options.chunkSizes ?? settings.chunkSizes,
    catalogPaths: options.catalogPaths ?? settings.catalogPaths,
    snapshots: options.snapshots ?? settings.snapshots,
  });
}

async function readTree(directory: string, xattrs: XattrMap | undefined): Promise<TreeEntry> {
  const root = scanTree(directory);
  if (root.children.some(({ name }) => name === '.cvmfs')) {
    throw new PublishError('TREE', `cannot publish ${directory}: the name .cvmfs in it is reserved, take it away`);
  }
  applyXattrs(root, xattrs ?? (await readXattrs(directory)) ?? new Map());
  return root;
}

/** Adds what no disk holds: markers of automatic nested catalogs, and snapshots. */
async function completeTree(
  root: TreeEntry,
  settings: PublishSettings,
  tags: readonly Tag[],
  objects: ObjectFiles,
): Promise<void> {
  if (settings.catalogPaths.length === 0 && !settings.snapshots) return;
  const empty = { hash: await objects.store(Buffer.alloc(0), '', settings.compression) };
  addMarkers(root, settings.catalogPaths, empty);
  if (settings.snapshots) addSnapshots(root, tags, objects, empty);
}

function filesOf(root: TreeEntry): TreeEntry[] {
  const files: TreeEntry[] = [];
  walk(root, (entry) => {
    if (entry.kind === 'file' && entry.content === undefined) files.push(entry);
  });
  return files;
}
