// What follows a switch of revisions: the kernel forgets what differs, and what it goes on using of old revisions is found
// out and noted, for a server that takes over. One after the other; nothing here rejects.
import { ROOT_NODE } from '../../fuse/operations.ts';
import { reasonOf } from '../../repository/errors.ts';
import type { CatalogTree } from '../catalog-tree.ts';
import type { RepositorySettings } from '../mounted-repository.ts';
import { condenseJournal, encodeRecord } from '../node-journal.ts';
import type { RepositoryOperations } from '../repository-operations.ts';
import { forgetUnused, Invalidation, type KernelCache, type KernelDifferences } from './kernel-cache.ts';
import { differencesSince, type Unsettled } from './unsettled.ts';

export interface SettlementParts {
  readonly tree: CatalogTree;
  readonly operations: RepositoryOperations;
  readonly settings: Pick<RepositorySettings, 'report' | 'journal'>;
}

export class KernelSettlement {
  /** Nobody is told anything before there is one. */
  kernel: KernelCache | undefined;
  /** Resolves when the kernel was told of all that was handed over up to now. */
  done: Promise<void> = Promise.resolve();
  /** Messages to the kernel so far. */
  notifications = 0;
  readonly #parts: SettlementParts;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** Of a switch that has just been made; the ones before have been settled. */
  settle(differences: KernelDifferences): void {
    this.done = this.#settle(differences);
  }

  /** Of a switch that a server before this one had made, and had not told the kernel all about. */
  settleAgain(unsettled: Unsettled): void {
    this.done = this.#settleAgain(unsettled);
  }

  /** With the names in the root everything below goes. */
  forgetAll(): void {
    this.done = this.done.then(() => this.#forgetAll()).catch((error) => this.#notTold(error));
  }

  async #forgetAll(): Promise<void> {
    await this.kernel?.invalidateInode(ROOT_NODE);
    for (const name of this.#parts.operations.rootNames()) await this.kernel?.invalidateEntry(ROOT_NODE, name);
  }

  async #settle(differences: KernelDifferences): Promise<void> {
    const { tree, operations, settings } = this.#parts;
    const { report, journal } = settings;
    const { left } = operations;
    try {
      if (this.kernel) {
        const invalidation = new Invalidation(this.kernel, tree, left, differences);
        await invalidation.run();
        await forgetUnused(this.kernel, left);
        this.notifications += invalidation.sent;
      }
    } catch (error) {
      this.#notTold(error);
    }
    try {
      const records = left.settle();
      journal?.append(encodeRecord({ kind: 'settled', left: records }));
      journal?.shorten?.(condenseJournal);
    } catch (error) {
      report(`cannot note what of old revisions is in use: ${reasonOf(error)}`);
    }
  }

  async #settleAgain({ catalogs, numbers }: Unsettled): Promise<void> {
    const { tree } = this.#parts;
    try {
      await this.#settle(await differencesSince(catalogs, numbers, tree));
    } catch (error) {
      this.#notTold(error);
    }
  }

  #notTold(error: unknown): void {
    this.#parts.settings.report(`the kernel may show old names: ${reasonOf(error)}`);
  }
}
