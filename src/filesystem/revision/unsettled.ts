// A server was killed after it had gone over to another revision, and before it had told the kernel of all that differs. The
// next one finds out again what that was. What the kernel knows already does no harm.
import { type AttachedCatalog, nodeOf } from '../attached-catalog.ts';
import type { CatalogTree } from '../catalog-tree.ts';
import { catalogNumberOf } from '../node-id.ts';
import { isGrouped } from './hard-link-groups.ts';
import type { KernelDifferences } from './kernel-cache.ts';
import { haveSameAttributes, isListedAlike } from './same-entry.ts';
import { SLICE, turn } from './turns.ts';
import { whenOpen } from './when-open.ts';

export interface Unsettled {
  /** Catalogs that were replaced. */
  readonly catalogs: readonly AttachedCatalog[];
  /** Numbers of those that took their place. */
  readonly numbers: readonly number[];
}

export async function differencesSince(
  replaced: readonly AttachedCatalog[],
  successors: readonly number[],
  tree: CatalogTree,
): Promise<KernelDifferences> {
  const vanished = new Map<AttachedCatalog, number[]>();
  const kept = { altered: new Set<number>(), relisted: new Set<number>() };
  for (const attached of replaced) vanished.set(attached, await whenOpen(() => vanishedRows(attached, tree, kept)));
  const attachments = [];
  for (const attached of tree.attachments.values()) {
    if (!successors.includes(attached.number)) continue;
    attachments.push({ place: attached, appeared: await whenOpen(() => appearedRows(attached)) });
  }
  return { vanished, attachments, altered: [...kept.altered], relisted: [...kept.relisted] };
}

/** What is kept and looks different is added to `kept`. */
async function vanishedRows(
  attached: AttachedCatalog,
  tree: CatalogTree,
  kept: Readonly<Record<'altered' | 'relisted', Set<number>>>,
): Promise<number[]> {
  const { catalog, nodes } = attached;
  const rows: number[] = [];
  let count = 0;
  for (const entry of catalog.rows()) {
    if (++count % SLICE === 0) await turn();
    if (entry.rowid === catalog.rootRow && attached.mountpoint !== '') continue;
    const grouped = isGrouped(entry);
    const node = grouped ? nodes.nodeOfGroup(entry.hardlinkGroup) : nodeOf(attached, entry.rowid);
    const place = tree.locate(node);
    const now = place?.attached.catalog.row(place.row);
    if (!now) {
      rows.push(entry.rowid);
      continue;
    }
    if (!haveSameAttributes(entry, now)) kept.altered.add(node);
    const parentRow = isListedAlike(entry, now) ? 0 : catalog.parentRow(entry);
    if (parentRow !== 0) kept.relisted.add(nodeOf(attached, parentRow));
  }
  return rows;
}

async function appearedRows({ catalog, nodes, number }: AttachedCatalog): Promise<number[]> {
  const rows: number[] = [];
  let count = 0;
  for (const entry of catalog.rows()) {
    if (++count % SLICE === 0) await turn();
    if (entry.rowid === catalog.rootRow) continue;
    const node = isGrouped(entry) ? nodes.nodeOfGroup(entry.hardlinkGroup) : nodes.nodeOfRow(entry.rowid);
    if (catalogNumberOf(node) === number) rows.push(entry.rowid);
  }
  return rows;
}
