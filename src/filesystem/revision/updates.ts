// Looking for new revisions while a repository is mounted: when, what becomes of the answer, and what if there is none
// (client.md §1.8, §5.7). One timer, which does not keep the process alive.
import type { ContentHash } from '../../objects/hash.ts';
import type { ObjectStore } from '../../objects/object.ts';
import { type Blacklist, isRevisionBlacklisted, parseBlacklist } from '../../repository/blacklist.ts';
import type { Catalog } from '../../repository/catalog.ts';
import { RepositoryError, reasonOf } from '../../repository/errors.ts';
import { openCatalog } from '../../repository/open-catalog.ts';
import type { MountedRoot } from '../../repository/rollback.ts';
import { chooseRoot, chosenCatalogRequest, type RootChoice } from '../../repository/root.ts';
import type { RootNotes } from '../../repository/root-notes.ts';
import type { RepositorySource } from '../../repository/source.ts';
import type { CatalogTree } from '../catalog-tree.ts';
import type { RepositorySettings } from '../mounted-repository.ts';
import { rootRecord } from '../node-journal.ts';
import type { RepositoryOperations } from '../repository-operations.ts';
import type { KernelCache } from './kernel-cache.ts';
import { KernelSettlement } from './kernel-settlement.ts';
import { switchRevision } from './revision-switch.ts';
import type { Unsettled } from './unsettled.ts';

export type UpdateOutcome =
  /** The revision that is mounted is the newest. */
  | 'up to date'
  | 'switched'
  /** No server could be asked, or none that is to be believed: what is mounted stays. */
  | 'offline'
  /** There is a newer revision, but it cannot be used. */
  | 'failed'
  /** A tag, a date, a hash or the configuration says that the revision never changes. */
  | 'fixed';

export interface UpdateStatus {
  /** Milliseconds since 1970 when the next revision is asked for; undefined: never. */
  readonly expires: number | undefined;
  readonly offline: boolean;
  /** Revisions that were switched to since the mount. */
  readonly switches: number;
  /** Messages to the kernel about what differs. */
  readonly notifications: number;
  /** Nodes of earlier revisions that are in use. */
  readonly leftNodes: number;
}

export interface UpdateParts {
  readonly tree: CatalogTree;
  readonly operations: RepositoryOperations;
  readonly store: ObjectStore;
  readonly notes: RootNotes;
  readonly source: RepositorySource;
  readonly settings: RepositorySettings;
  /** Told of the root catalog of each new revision, in the step in which it begins to be served. */
  readonly entered: (root: Catalog) => void;
  /** A switch of the server before this one, of which the kernel was not told all. */
  readonly unsettled?: Unsettled;
}

/** Seconds until the next try when there was no answer, at most the time to live (client.md §5.7). */
const OFFLINE_TTL = 180;
/** Part of the time to live by which it is stretched at random, and its limit in seconds: jobs start at the same moment. */
const SPREAD = 0.1;
const MAX_SPREAD = 30;

export class Updates {
  readonly #parts: UpdateParts;
  readonly #fixed: boolean;
  /** Seconds, 0: as long as the repository says. */
  #maxTtl: number;
  #blacklist: Blacklist;
  #timer: NodeJS.Timeout | undefined;
  #expires: number | undefined;
  #running: Promise<UpdateOutcome> | undefined;
  readonly #settlement: KernelSettlement;
  #offline: boolean;
  #switches = 0;
  #closed = false;

  constructor(parts: UpdateParts, root: RootChoice) {
    const { autoUpdate = true, offline, blacklist, maxTtl = 0 } = parts.settings;
    this.#parts = parts;
    this.#settlement = new KernelSettlement(parts);
    this.#maxTtl = maxTtl;
    this.#blacklist = blacklist ?? parseBlacklist();
    this.#fixed = root.fixed || !autoUpdate || offline === true;
    this.#offline = root.offline !== undefined;
    this.#staysWithdrawn();
  }

  /** From here on new revisions are looked for; `kernel` is told of each. */
  start(kernel: KernelCache): void {
    this.#settlement.kernel = kernel;
    if (this.#parts.unsettled) this.#settlement.settleAgain(this.#parts.unsettled);
    if (this.#parts.operations.withdrawn) this.#settlement.forgetAll();
    this.#waitForNext();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  get status(): UpdateStatus {
    return {
      expires: this.#expires,
      offline: this.#offline,
      switches: this.#switches,
      notifications: this.#settlement.notifications,
      leftNodes: this.#parts.operations.left.nodes.length,
    };
  }

  /** Looks for a new revision now. Resolves when it is served and nothing stale is left in the kernel. */
  async remount(): Promise<UpdateOutcome> {
    if (this.#fixed) return 'fixed';
    const outcome = await this.#check(false);
    await this.#settlement.done;
    return outcome;
  }

  /**
   * Goes over to the revision of a root catalog, whatever its number; where updates are followed, the next look for one ends
   * that. False: it is blacklisted, as what is mounted may be, or no root catalog of the repository can be had under that
   * hash; all is as before.
   */
  async switchTo(rootHash: ContentHash): Promise<boolean> {
    const outcome = await this.#whenIdle(() => this.#alone(this.#goTo(rootHash)));
    await this.#settlement.done;
    return outcome === 'switched';
  }

  /** Closes nested catalogs until they are used again. Waits for what may be reading them. */
  closeNestedCatalogs(): Promise<void> {
    return this.#whenIdle(() => this.#parts.tree.closeNested());
  }

  /** Seconds, 0: as long as the repository says. */
  get maxTtl(): number {
    return this.#maxTtl;
  }

  /** Counts from now on, also for the look that is due next. */
  set maxTtl(seconds: number) {
    this.#maxTtl = seconds;
    if (this.#timer && !this.#running) this.#waitForNext();
  }

  /** Seconds. */
  get #ttl(): number {
    const { ttl } = this.#parts.tree.root.catalog;
    return Math.max(1, this.#maxTtl > 0 ? Math.min(ttl, this.#maxTtl) : ttl);
  }

  #waitForNext(): void {
    this.#wait(this.#offline ? Math.min(OFFLINE_TTL, this.#ttl) : this.#ttl);
  }

  /** Calls `action` in a step in which nothing is looked for, and the kernel was told of all that differs. */
  async #whenIdle<T>(action: () => T): Promise<Awaited<T>> {
    for (;;) {
      const settled = this.#settlement.done;
      await this.#running;
      await settled;
      // In this very step: whoever else waits may begin something in the next one.
      if (!this.#running && settled === this.#settlement.done) return await action();
    }
  }

  #wait(seconds: number): void {
    if (this.#fixed || this.#closed) return;
    const delay = (seconds + Math.random() * Math.min(seconds * SPREAD, MAX_SPREAD)) * 1000;
    clearTimeout(this.#timer);
    this.#expires = Date.now() + delay;
    this.#timer = setTimeout(() => this.#check(true), Math.min(delay, 2 ** 31 - 1));
    this.#timer.unref();
  }

  /** One at a time. */
  #check(byTimer: boolean): Promise<UpdateOutcome> {
    return this.#running ?? this.#alone(this.#checkOnce(byTimer));
  }

  #alone(work: Promise<UpdateOutcome>): Promise<UpdateOutcome> {
    this.#running = work.finally(() => {
      this.#running = undefined;
      this.#waitForNext();
    });
    return this.#running;
  }

  async #checkOnce(byTimer: boolean): Promise<UpdateOutcome> {
    // What the last switch left to be told must be told before there is more.
    await this.#settlement.done;
    try {
      this.#readBlacklist();
      return await this.#follow((byTimer && this.#answerToOthers()) || (await this.#ask()));
    } catch (error) {
      return this.#closed ? 'failed' : this.#refused(error);
    }
  }

  /** One that cannot be read any more is not overlooked: what it said last counts. */
  #readBlacklist(): void {
    const { readBlacklist, report } = this.#parts.settings;
    try {
      if (readBlacklist) this.#blacklist = readBlacklist();
    } catch (error) {
      report(`${reasonOf(error)}; what it said before counts`);
    }
  }

  #ask(): Promise<RootChoice> {
    const { source, store, notes, settings } = this.#parts;
    const local = { breadcrumb: notes.breadcrumb(), mounted: this.#mounted };
    return chooseRoot(source, store, { ...settings, ...local, blacklist: this.#blacklist });
  }

  get #mounted(): MountedRoot {
    const { hash: rootHash, catalog } = this.#parts.tree.root;
    return { rootHash, lastModified: catalog.lastModified, revision: catalog.revision };
  }

  /** Of all who share a cache one asks per time to live, and the others believe what it noted after verifying it. */
  #answerToOthers(): RootChoice | undefined {
    const { notes, settings } = this.#parts;
    const breadcrumb = notes.breadcrumb();
    if (!breadcrumb || Math.abs(Date.now() - notes.confirmedAt) > (this.#ttl * 1000) / 2) return undefined;
    const { rootHash, revision } = breadcrumb;
    const mounted = this.#mounted;
    const usable = rootHash.equals(mounted.rootHash) || revision > mounted.revision;
    if (!usable || isRevisionBlacklisted(this.#blacklist, settings.fqrn, revision)) return undefined;
    return { rootHash, revision, fixed: false, alternativePath: false };
  }

  async #follow(root: RootChoice): Promise<UpdateOutcome> {
    const { tree, operations, notes, settings } = this.#parts;
    const isNew = !root.rootHash.equals(tree.root.hash);
    if (isNew) await this.#switch(root);
    operations.withdrawn = undefined;
    if (root.offline) return this.#goOffline(root.offline.message, isNew ? 'switched' : 'offline');
    const { catalog } = tree.root;
    notes.write(root, catalog.ttl);
    notes.confirm();
    if (isNew) settings.log?.note(`switched to catalog revision ${catalog.revision}`);
    if (this.#offline) settings.report(`recovered from offline mode: a server answers again`);
    this.#offline = false;
    return isNew ? 'switched' : 'up to date';
  }

  async #goTo(rootHash: ContentHash): Promise<UpdateOutcome> {
    const { settings, operations } = this.#parts;
    if (operations.withdrawn) return 'failed';
    try {
      await this.#switch({ rootHash, fixed: this.#fixed, alternativePath: settings.alternativePath ?? false });
      return 'switched';
    } catch (error) {
      settings.report(`cannot go over to the root catalog ${rootHash}: ${reasonOf(error)}`);
      return 'failed';
    }
  }

  /** Rejects when it cannot be used: all is as before then. */
  async #switch(root: RootChoice): Promise<void> {
    const { tree, operations, store, settings, entered } = this.#parts;
    const catalog = await openCatalog(store, chosenCatalogRequest(root));
    const { revision, rootPrefix } = catalog;
    const isRoot = rootPrefix === tree.root.catalog.rootPrefix;
    if (!isRoot || isRevisionBlacklisted(this.#blacklist, settings.fqrn, revision)) {
      catalog.close();
      throw new Error(isRoot ? `revision ${revision} is blacklisted` : `it is the catalog of ${rootPrefix || '/'}`);
    }
    await switchRevision(tree, store, { record: rootRecord(root), catalog }, (differences) => {
      operations.revisionChanged([...differences.vanished.keys()]);
      entered(catalog);
      this.#switches++;
      this.#settlement.settle(differences);
    });
  }

  #refused(error: unknown): UpdateOutcome {
    if (error instanceof RepositoryError && error.code === 'Blacklisted') {
      this.#withdraw(error.message);
      return 'failed';
    }
    return this.#goOffline(reasonOf(error), 'failed');
  }

  /** Told once, until an answer comes. */
  #goOffline<Outcome extends UpdateOutcome>(reason: string, outcome: Outcome): Outcome {
    const { settings, tree } = this.#parts;
    if (!this.#offline) settings.report(`going on with revision ${tree.root.catalog.revision}: ${reason}`);
    this.#offline = true;
    return outcome;
  }

  /** A server before this one has withdrawn it; the first one would not have begun with it. */
  #staysWithdrawn(): void {
    const { operations, settings, tree } = this.#parts;
    const { revision } = tree.root.catalog;
    if (this.#fixed || !isRevisionBlacklisted(this.#blacklist, settings.fqrn, revision)) return;
    this.#offline = true;
    operations.withdrawn = `revision ${revision} is blacklisted`;
  }

  /** What is mounted must not be used any more: every request fails until there is a revision that may be (client.md §1.6). */
  #withdraw(reason: string): void {
    const { operations, settings } = this.#parts;
    this.#offline = true;
    if (operations.withdrawn) return;
    settings.report(`nothing of the repository can be read until then: ${reason}`);
    operations.withdrawn = reason;
    this.#settlement.forgetAll();
  }
}
