// From settings to a file system: the cache, the servers, the verified root catalog, and the operations over them.
import type { KeyObject } from 'node:crypto';
import type { AuthzSettings } from '../authz/settings.ts';
import { noteDirectories, openCache } from '../cache/open-cache.ts';
import type { CacheSettings } from '../cache/settings.ts';
import { CacheStore } from '../cache/store.ts';
import type { Network } from '../download/no-network.ts';
import type { DownloadSettings } from '../download/settings.ts';
import type { Log } from '../log/log.ts';
import type { TelemetrySettings } from '../log/telemetry.ts';
import type { Blacklist } from '../repository/blacklist.ts';
import type { Catalog } from '../repository/catalog.ts';
import { openCatalog } from '../repository/open-catalog.ts';
import { chooseRoot, chosenCatalogRequest, type RootChoice } from '../repository/root.ts';
import { RootNotes } from '../repository/root-notes.ts';
import type { AccessRecorder } from './access-recorder.ts';
import type { OwnershipRules } from './attributes.ts';
import { CatalogTree } from './catalog-tree.ts';
import { FileBundles } from './file-bundles.ts';
import { LiveFacts } from './live-facts.ts';
import type { MountFacts } from './mount-facts.ts';
import { encodeRecord, type NodeJournal, replayJournal, rootChoice, rootRecord } from './node-journal.ts';
import { checkOfflineStart } from './offline.ts';
import { RepositoryNetwork } from './repository-network.ts';
import { RepositoryOperations } from './repository-operations.ts';
import { RequestCounters } from './request-counters.ts';
import { RequestLatencies } from './request-latencies.ts';
import type { KernelCache } from './revision/kernel-cache.ts';
import { type UpdateOutcome, type UpdateStatus, Updates } from './revision/updates.ts';
import type { AttributeRules } from './xattrs/access-rules.ts';

type Servers = Partial<DownloadSettings> & Pick<DownloadSettings, 'servers'>;

export interface RepositorySettings {
  readonly fqrn: string;
  readonly masterKeys: readonly KeyObject[];
  readonly blacklist?: Blacklist;
  /** Reads it anew, before each update. Throws when it cannot be read. */
  readonly readBlacklist?: () => Blacklist;
  /** CVMFS_AUTO_UPDATE; default: every revision is followed. */
  readonly autoUpdate?: boolean;
  /** CVMFS_ROOT_HASH, CVMFS_REPOSITORY_TAG, CVMFS_REPOSITORY_DATE, CVMFS_ALT_ROOT_PATH; see chooseRoot. */
  readonly fixedRoot?: string;
  readonly tag?: string;
  readonly date?: string;
  readonly alternativePath?: boolean;
  /** A directory of the user's own on this node: what is known of the repository is noted there. */
  readonly cacheDirectory: string;
  /** Nothing may be asked of any server: what the cache has is all there is. */
  readonly offline?: boolean;
  /** Where objects are; a private cache without limit in `cacheDirectory` where not given. */
  readonly cache?: CacheSettings;
  /** CVMFS_STREAMING_CACHE */
  readonly streaming?: boolean;
  /** CVMFS_MAX_TTL in seconds; undefined: as long as the repository says. */
  readonly maxTtl?: number;
  readonly servers: Servers;
  /** For external data, CVMFS_EXTERNAL_URL; undefined when there is none. */
  readonly externalServers?: Servers;
  /** How memberships are checked, where the repository demands one. */
  readonly authz?: AuthzSettings;
  readonly ownership: OwnershipRules;
  /** Values of `$(NAME)` in symlinks. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The cache's breadcrumb is not touched before `remember` is called. */
  readonly rememberLater?: boolean;
  /** Where the numbers of catalogs are kept for another server of the same mount; default: nowhere. */
  readonly journal?: NodeJournal;
  /** Gets one line for everything that goes wrong and does not end the mount. */
  readonly report: (message: string) => void;
  /** Files that bundles list are fetched ahead, so many at once (CVMFS_PREFETCH_FILEBUNDLES); undefined: not at all. */
  readonly bundleWorkers?: number;
  /** How long requests take is measured. CVMFS_INSTRUMENT_FUSE */
  readonly instrumented?: boolean;
  /** Told what is used of the repository, where that is wanted. */
  readonly recorder?: AccessRecorder;
  /** What `report` writes to, and more than what goes wrong. */
  readonly log?: Log;
  /** The repository from which a part of these settings comes, if there is one. */
  readonly configurationRepository?: string;
  /** Where scripts look for the talk socket; undefined: there is none. */
  readonly talkSocket?: string;
  /** Where counters are sent; undefined: nowhere. */
  readonly telemetry?: TelemetrySettings;
  /** All parameters, as `cvmfs2 -o parse` prints them. */
  readonly parameterLines?: () => readonly string[];
  /** Which extended attributes are shown, and to whom. */
  readonly attributeRules?: AttributeRules;
}

/** What a mounted repository is made of, for those who look into it and change its settings while it runs. */
export interface Layers {
  readonly tree: CatalogTree;
  readonly store: CacheStore;
  readonly source: Network;
  readonly external: Network | undefined;
}

export class MountedRepository {
  readonly operations: RepositoryOperations;
  readonly root: RootChoice;
  readonly facts: MountFacts;
  readonly counters: RequestCounters;
  readonly layers: Layers;
  /** How it reaches its servers. */
  readonly network: RepositoryNetwork;
  readonly #store: CacheStore;
  /** Notes the mounted revision in the cache, where that was not done at once. */
  readonly remember: () => void;
  readonly #updates: Updates;

  private constructor(
    operations: RepositoryOperations,
    root: RootChoice,
    facts: MountFacts,
    counters: RequestCounters,
    layers: Layers,
    store: CacheStore,
    remember: () => void,
    network: RepositoryNetwork,
    updates: Updates,
  ) {
    this.operations = operations;
    this.root = root;
    this.facts = facts;
    this.counters = counters;
    this.layers = layers;
    this.#store = store;
    this.remember = remember;
    this.network = network;
    this.#updates = updates;
  }

  /**
   * Verifies the repository and opens its root catalog; with a journal of servers before this one, opens what they served.
   * @throws RepositoryError, CacheError, DownloadError: why it cannot be mounted
   */
  static async open(settings: RepositorySettings): Promise<MountedRepository> {
    const { cacheDirectory, report } = settings;
    const { cache = { kind: 'posix', directory: cacheDirectory, access: 'private' }, streaming } = settings;
    const opened = openCache(cache, report);
    const network = new RepositoryNetwork(settings);
    const { source, external, membership } = network;
    const store = new CacheStore({ ...opened, streaming, source, externalSource: external, warn: report });
    try {
      const notes = new RootNotes(settings.fqrn, noteDirectories(cacheDirectory, opened), report);
      const restored = settings.journal && replayJournal(settings.journal.records);
      const root = restored ? rootChoice(restored.root) : await firstRoot(settings, notes, source, store);
      const catalog = await openCatalog(store, chosenCatalogRequest(root));
      const remember = (): void => notes.write(root, catalog.ttl);
      if (!settings.rememberLater) remember();
      membership.require(catalog.properties.vomsAuthz);
      if (!restored) settings.journal?.append(encodeRecord(rootRecord(root)));
      const counters = new RequestCounters(settings.instrumented ? new RequestLatencies() : undefined);
      let updates: Updates | undefined;
      const facts = new LiveFacts({
        settings,
        source,
        external,
        store,
        counters,
        tag: root.tagName,
        expires: () => updates?.status.expires,
        verified: () => (tree.root.catalog.hash.equals(root.rootHash) ? root.verified?.evidence.manifest : undefined),
      });
      const tree = new CatalogTree({ store, root: catalog, report, journal: settings.journal, restored });
      const operations = new RepositoryOperations({
        tree,
        leftNodes: restored?.left,
        store,
        facts,
        counters,
        attributeRules: settings.attributeRules,
        ownership: settings.ownership,
        variables: settings.variables,
        report,
        bundles: bundlesOf(settings, store),
        membership,
        recorder: settings.recorder,
      });
      const layers = { tree, store, source, external };
      const unsettled = restored && { catalogs: tree.detached(restored.unsettled), numbers: restored.successors };
      // Before the first request: what the server before had read comes again at once.
      if (unsettled) operations.left.replaced(unsettled.catalogs);
      const entered = ({ properties }: Catalog): void => membership.require(properties.vomsAuthz);
      updates = new Updates({ tree, operations, store, notes, source, settings, entered, unsettled }, root);
      return new MountedRepository(operations, root, facts, counters, layers, store, remember, network, updates);
    } catch (error) {
      network.close();
      await store.close();
      throw error;
    }
  }

  /** From here on new revisions are looked for, and `kernel` is told what differs (client.md §5.7). */
  followRevisions(kernel: KernelCache): void {
    this.#updates.start(kernel);
  }

  /** Looks for a new revision now. Resolves when it is served and nothing stale is left in the kernel. */
  remount(): Promise<UpdateOutcome> {
    return this.#updates.remount();
  }

  /** When and whether the next revision is looked for, and what became of those before. */
  get updates(): UpdateStatus {
    return this.#updates.status;
  }

  /** For those who change how updates go while it is mounted. */
  get updateControl(): Pick<Updates, 'maxTtl' | 'switchTo' | 'closeNestedCatalogs'> {
    return this.#updates;
  }

  /** Ends transfers and writes to the cache what is only in memory. */
  async close(): Promise<void> {
    this.#updates.close();
    this.network.close();
    await this.#store.close();
    this.operations.close();
  }
}

async function firstRoot(
  settings: RepositorySettings,
  notes: RootNotes,
  source: Network,
  store: CacheStore,
): Promise<RootChoice> {
  const noted = settings.offline ? notes.readOffline() : notes.read();
  if (settings.offline) checkOfflineStart(settings, noted.breadcrumb);
  const root = await chooseRoot(source, store, { ...settings, ...noted });
  if (root.offline && !settings.offline)
    settings.report(`using revision ${root.revision} from the cache: ${root.offline.message}`);
  return root;
}

/** What is fetched ahead is not what a job uses, and without network there is nothing to fetch. */
function bundlesOf({ bundleWorkers, recorder, offline, report }: RepositorySettings, store: CacheStore) {
  if (bundleWorkers === undefined || recorder || offline) return undefined;
  return new FileBundles({ store, workers: bundleWorkers, report });
}
