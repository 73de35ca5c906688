// A node of an earlier revision that somebody still uses: an open or mapped file, a directory somebody works in. All that
// can be asked of it, apart from the catalog it was in, so that old catalogs need not stay open.
import type { Attributes } from '../../fuse/operations.ts';
import { ContentHash } from '../../objects/hash.ts';
import type { ObjectRequest } from '../../objects/object.ts';
import type { FileContent } from '../open-files.ts';

export interface LeftNode {
  readonly attributes: Attributes;
  /** Of a symlink, its variables expanded. Latin-1. */
  readonly target?: string;
  /** Of a regular file. */
  readonly content?: FileContent;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** Plain data, for the journal. */
export interface LeftNodeRecord {
  readonly node: number;
  readonly attributes: Attributes;
  readonly target?: string;
  readonly content?: {
    readonly size: number;
    readonly pieces: readonly {
      readonly offset: number;
      readonly size: number;
      readonly hash: string;
      readonly request: Omit<ObjectRequest, 'hash'>;
    }[];
  };
  /** Values in Latin-1. */
  readonly xattrs: readonly (readonly [string, string])[];
}

export function recordOf(node: number, { attributes, target, content, xattrs }: LeftNode): LeftNodeRecord {
  return {
    node,
    attributes,
    target,
    content: content && {
      size: content.size,
      pieces: content.pieces.map(({ offset, size, request: { hash, ...request } }) => ({
        offset,
        size,
        hash: hash.toString(),
        request,
      })),
    },
    xattrs: [...xattrs].map(([name, value]) => [name, value.toString('latin1')]),
  };
}

export function leftNodeOf({ attributes, target, content, xattrs }: LeftNodeRecord): LeftNode {
  return {
    attributes,
    target,
    content: content && {
      size: content.size,
      pieces: content.pieces.map(({ offset, size, hash, request }) => ({
        offset,
        size,
        request: { ...request, hash: ContentHash.parse(hash) as ContentHash },
      })),
    },
    xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value, 'latin1')])),
  };
}
