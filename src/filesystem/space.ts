// What `df` shows of a mount: the cache as blocks, the entries of the repository as inodes (client.md §5.10).
import type { FileSystemStatus } from '../fuse/operations.ts';
import type { CatalogTree } from './catalog-tree.ts';
import type { CacheFacts } from './mount-facts.ts';

const BLOCK_SIZE = 512;
const NAME_LENGTH = 255;

/** A cache without quota shows no blocks; free inodes are those of catalogs that are not attached. */
export function statusOf(tree: CatalogTree, { used, capacity }: CacheFacts): FileSystemStatus {
  const files = tree.root.catalog.counters.allEntries;
  const filesFree = Math.max(0, files - tree.attachedEntries);
  const blocks = used === undefined ? 0 : Math.floor((capacity ?? used) / BLOCK_SIZE);
  const blocksFree =
    used === undefined || capacity === undefined ? 0 : Math.floor(Math.max(0, capacity - used) / BLOCK_SIZE);
  return { blocks, blocksFree, files, filesFree, blockSize: BLOCK_SIZE, nameLength: NAME_LENGTH };
}
