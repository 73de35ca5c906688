// From a path to the objects of a file, for those who are not the kernel.
import { type Entry, Errno, ROOT_NODE } from '../fuse/operations.ts';
import type { FileContent } from './open-files.ts';
import type { RepositoryOperations } from './repository-operations.ts';
import { whenLocal } from './when-local.ts';

/** As for requests of the kernel. */
const MAX_ATTEMPTS = 256;

/** `path` begins with `/`. Undefined: there is no such regular file. Rejects when a catalog cannot be had. */
export async function contentAt(operations: RepositoryOperations, path: string): Promise<FileContent | undefined> {
  if (!path.startsWith('/')) return undefined;
  let node = ROOT_NODE;
  for (const name of path.split('/').filter(Boolean)) {
    let entry: Entry | undefined;
    try {
      entry = await whenLocal(() => operations.lookup(node, name), MAX_ATTEMPTS);
    } catch (error) {
      if (error instanceof Errno) return undefined;
      throw error;
    }
    if (!entry) return undefined;
    node = entry.node;
  }
  try {
    return await whenLocal(() => operations.contentOf(node), MAX_ATTEMPTS);
  } catch (error) {
    if (error instanceof Errno) return undefined;
    throw error;
  }
}
