// The attributes that the client makes up (client.md §5.11), one table: which objects have each, and its value.
import { COMPATIBLE_VERSION } from '../../config/compatible-version.ts';
import { ROOT_NODE } from '../../fuse/operations.ts';
import { ContentHash } from '../../objects/hash.ts';
import type { CatalogEntry } from '../../repository/catalog.ts';
import { type CatalogCounters, COUNTERS } from '../../repository/catalog-counters.ts';
import { FLAG_CHUNKED, FLAG_DIRECT_IO, FLAG_EXTERNAL } from '../../repository/entry-flags.ts';
import type { AttachedCatalog } from '../attached-catalog.ts';
import { isDirectory, isRegular, isSymlink } from '../attributes.ts';
import type { CatalogTree } from '../catalog-tree.ts';
import type { Directories } from '../directory.ts';
import { bundleOf } from '../file-bundles.ts';
import type { MountFacts, TransferFacts } from '../mount-facts.ts';
import type { CachedContent } from './cached-content.ts';
import type { Metainfo } from './metainfo.ts';
import { paginate } from './pages.ts';

/** What an attribute is read of. */
export interface Subject {
  readonly node: number;
  readonly attached: AttachedCatalog;
  readonly entry: CatalogEntry;
  readonly tree: CatalogTree;
  readonly directories: Directories;
  readonly facts: MountFacts;
  readonly cachedContent: CachedContent;
  readonly metainfo: Metainfo;
}

export interface MagicAttribute {
  applies(subject: Subject): boolean;
  /** A page, or several. Throws Pending where something has to be fetched. */
  value(subject: Subject): string | string[];
}

/** Descriptors that the reference keeps for itself. */
const RESERVED_FILES = 512;
const CHUNK_HEADER = 'hash,offset,size\n';

type Value = MagicAttribute['value'];

const onAny = (value: Value): MagicAttribute => ({ applies: () => true, value });
const onRegular = (value: Value): MagicAttribute => ({ applies: ({ entry }) => isRegular(entry), value });
const onHashed = (value: (hash: ContentHash, subject: Subject) => string): MagicAttribute => ({
  applies: ({ entry }) => isRegular(entry) && entry.hash !== undefined,
  value: (subject) => value(subject.entry.hash as ContentHash, subject),
});
const onLinks = (value: Value): MagicAttribute => ({ applies: ({ entry }) => isSymlink(entry), value });
const flag = (bit: number): MagicAttribute => onRegular(({ entry }) => ((entry.flags & bit) !== 0 ? '1' : '0'));

/** By name, in ascending order. */
export const MAGIC: ReadonlyMap<string, MagicAttribute> = new Map<string, MagicAttribute>([
  [
    'user.authz',
    {
      applies: ({ tree }) => Boolean(requirement(tree)),
      value: ({ tree }) => requirement(tree) ?? '',
    },
  ],
  ['user.bundle_trigger', onRegular(isBundleTrigger)],
  ['user.catalog_counters', onAny(catalogCounters)],
  ['user.chunk_list', onRegular((subject) => paginate(chunkLines(subject), CHUNK_HEADER))],
  [
    'user.chunks',
    onRegular(({ attached, entry }) =>
      (entry.flags & FLAG_CHUNKED) !== 0 ? String(attached.catalog.chunks(entry).length) : '1',
    ),
  ],
  ['user.compression', onRegular(({ entry }) => compressionName(entry))],
  ['user.direct_io', flag(FLAG_DIRECT_IO)],
  ['user.expires', onAny(({ facts }) => expiry(facts.expires()))],
  ['user.external_file', flag(FLAG_EXTERNAL)],
  ['user.external_host', onAny(({ facts }) => facts.external?.server() ?? 'internal error: no hosts defined')],
  ['user.external_timeout', onAny(({ facts }) => String(facts.external?.timeouts().direct ?? 0))],
  [
    'user.external_url',
    {
      applies: ({ entry }) => isRegular(entry) && (entry.flags & FLAG_EXTERNAL) !== 0,
      value: (subject) => (subject.facts.external?.server() ?? '') + pathOf(subject),
    },
  ],
  ['user.fqrn', onAny(({ facts }) => facts.fqrn)],
  ['user.hash', onHashed((hash) => hash.toString())],
  ['user.hitrate', onAny(({ facts }) => hitRate(facts))],
  ['user.host', onAny(({ facts }) => facts.network.server() ?? 'internal error: no hosts defined')],
  ['user.host_list', onAny(({ facts }) => facts.network.servers().join(';'))],
  ['user.inode_max', onAny(({ tree }) => String(tree.inodeGauge))],
  ['user.lhash', onHashed((hash, { cachedContent, entry }) => cachedContent.hashOf(hash, entry.size))],
  ['user.logbuffer', onAny(({ facts }) => facts.lastMessages())],
  ['user.maxfd', onAny(({ facts }) => String(Math.max(0, facts.requests().maxFiles - RESERVED_FILES)))],
  ['user.ncleanup24', onAny(({ facts }) => String(facts.cache().cleanups ?? -1))],
  ['user.nclg', onAny(({ tree }) => String(tree.size))],
  ['user.ndiropen', onAny(({ facts }) => String(facts.requests().directoryOpens))],
  ['user.ndownload', onAny(({ facts }) => String(transfers(facts).downloads))],
  ['user.nioerr', onAny(({ facts }) => String(facts.requests().ioErrors))],
  ['user.nopen', onAny(({ facts }) => String(facts.requests().opens))],
  ['user.pid', onAny(() => String(process.pid))],
  ['user.proxy', onAny(({ facts }) => facts.network.proxy())],
  ['user.proxy_list', onAny(({ facts }) => paginate(lines(facts.network.proxies())))],
  [
    'user.proxy_list_external',
    {
      applies: ({ facts }) => facts.external !== undefined,
      value: ({ facts }) => paginate(lines(facts.external?.proxies() ?? [])),
    },
  ],
  [
    'user.pubkeys',
    { applies: ({ facts }) => facts.masterKeys.length > 0, value: ({ facts }) => paginate(facts.masterKeys) },
  ],
  ['user.rawlink', onLinks(({ entry }) => entry.symlink)],
  ['user.repo_counters', onAny(({ tree }) => counterLines(tree.root.catalog.counters))],
  ['user.repo_metainfo', onAny(({ facts, metainfo }) => metainfo.text(facts))],
  ['user.revision', onAny(({ tree }) => String(tree.root.catalog.revision))],
  ['user.root_hash', onAny(({ tree }) => tree.root.catalog.hash.toString())],
  ['user.rx', onAny(({ facts }) => String(Math.floor(transfers(facts).bytes / 1024)))],
  ['user.speed', onAny(({ facts }) => speed(transfers(facts)))],
  ['user.tag', onAny(({ facts }) => facts.tag)],
  ['user.timeout', onAny(({ facts }) => String(facts.network.timeouts().proxied))],
  ['user.timeout_direct', onAny(({ facts }) => String(facts.network.timeouts().direct))],
  ['user.timestamp_last_ioerr', onAny(({ facts }) => String(facts.requests().lastIoError))],
  ['user.uptime', onAny(({ facts }) => String(Math.floor((performance.now() - facts.mountedAt) / 60_000)))],
  ['user.useddirp', onAny(({ facts }) => String(facts.requests().openDirectories))],
  ['user.usedfd', onAny(({ facts }) => String(facts.requests().openFiles))],
  ['user.version', onAny(() => `${COMPATIBLE_VERSION}.0`)],
  // The only one of the two that Linux lets people read of a symlink.
  ['xfsroot.rawlink', onLinks(({ entry }) => entry.symlink)],
]);

function isBundleTrigger({ directories, attached, entry }: Subject): string {
  return bundleOf(directories.above(attached, entry), entry.name) === undefined ? '0' : '1';
}

/** Membership requirement (client.md §10.3). */
function requirement(tree: CatalogTree): string | undefined {
  return tree.root.catalog.properties.vomsAuthz;
}

/** Of the catalog that holds what is in the directory, or the file's own. */
function catalogCounters({ node, attached, entry, directories }: Subject): string {
  const { catalog, mountpoint } = isDirectory(entry) ? directories.get(node).catalog : attached;
  const head = `catalog_hash: ${catalog.hash}\ncatalog_mountpoint: ${mountpoint}\n`;
  return head + counterLines(catalog.counters);
}

const SORTED_COUNTERS = [...COUNTERS].sort();

export function counterLines(counters: CatalogCounters): string {
  return SORTED_COUNTERS.map((name) => `${name},${counters.self(name) + counters.subtree(name)}\n`).join('');
}

function chunkLines({ attached, entry }: Subject): string[] {
  if ((entry.flags & FLAG_CHUNKED) === 0)
    return [`${entry.hash ?? new ContentHash('sha1', '0'.repeat(40))},0,${entry.size}\n`];
  return attached.catalog.chunks(entry).map(({ hash, offset, size }) => `${hash},${offset},${size}\n`);
}

function compressionName(entry: CatalogEntry): string {
  try {
    return entry.compression;
  } catch {
    return 'unknown';
  }
}

function expiry(deadline: number | undefined): string {
  return deadline === undefined ? 'never (fixed root catalog)' : String(Math.trunc((deadline - Date.now()) / 60_000));
}

function pathOf({ node, attached, entry, directories }: Subject): string {
  return node === ROOT_NODE ? '' : `${directories.above(attached, entry).path}/${entry.name}`;
}

export function hitRate(facts: MountFacts): string {
  const { requests, misses } = facts.cache();
  return requests === 0 ? 'n/a' : (100 * (1 - misses / requests)).toFixed(3);
}

/** Of both kinds of servers. */
export function transfers({ network, external }: MountFacts): TransferFacts {
  const one = network.transfers();
  const other = external?.transfers();
  if (!other) return one;
  return {
    downloads: one.downloads + other.downloads,
    bytes: one.bytes + other.bytes,
    milliseconds: one.milliseconds + other.milliseconds,
  };
}

export function speed({ bytes, milliseconds }: TransferFacts): string {
  return milliseconds < 1 ? 'n/a' : String(Math.floor((1000 * (bytes / 1024)) / milliseconds));
}

function lines(texts: readonly string[]): string[] {
  return texts.map((text) => `${text}\n`);
}
