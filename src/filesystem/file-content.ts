// Which objects make up a regular file (client.md §3.6, §5.8).
import type { ObjectRequest } from '../objects/object.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { FLAG_CHUNKED, FLAG_EXTERNAL } from '../repository/entry-flags.ts';
import { RepositoryError } from '../repository/errors.ts';
import type { CatalogAtPath } from './attached-catalog.ts';
import type { FileContent, Piece } from './open-files.ts';

/** Throws the catalog's own error where it names no object, or chunks that do not add up. */
export function contentOf(attached: CatalogAtPath, entry: CatalogEntry, path: string): FileContent {
  const external = (entry.flags & FLAG_EXTERNAL) !== 0;
  if ((entry.flags & FLAG_CHUNKED) !== 0) {
    const pieces = attached.catalog.chunks(entry).map(({ offset, size, hash }): Piece => {
      const range = external ? { external: { path, offset, length: size } } : {};
      const request: ObjectRequest = { hash, letter: 'P', compression: entry.compression, size, label: path, ...range };
      return { offset, size, request };
    });
    return { size: entry.size, pieces };
  }
  const { hash, size, compression } = entry;
  if (!hash)
    throw new RepositoryError(
      'BadCatalog',
      `the catalog of ${attached.mountpoint || '/'} is damaged: ${path} has no content hash`,
    );
  const whole = external ? { external: { path } } : {};
  const request: ObjectRequest = { hash, letter: '', compression, size, label: path, ...whole };
  return { size, pieces: [{ offset: 0, size, request }] };
}
