// Files being read. The kernel opens by itself (no OPEN request reaches us), so a read names only a node: the chunk lists
// and descriptors of recently read nodes are kept here, a bounded number of each.
import { Pending } from '../fuse/operations.ts';
import type { LocalObject, ObjectRequest, ObjectStore } from '../objects/object.ts';

/** A stretch of a file that is one object; a file without chunks is a single one. */
export interface Piece {
  readonly offset: number;
  readonly size: number;
  readonly request: ObjectRequest;
}

export interface FileContent {
  readonly size: number;
  /** In order of offset, without gaps. */
  readonly pieces: readonly Piece[];
  /** Told of each piece that is about to be read; often of the same. */
  readonly onRead?: (index: number) => void;
}

const OPEN_OBJECTS = 256;
/** Bytes of those among them that are in memory, a single one apart. */
const BYTES_IN_MEMORY = 64 * 1024 * 1024;
const KNOWN_FILES = 4096;
/** Of all known files, a single one apart. */
const KNOWN_PIECES = 65_536;
/** Bytes fetched ahead of a reader, at least one piece. */
const READ_AHEAD = 24 * 1024 * 1024;
const MAX_PIECES_AHEAD = 4;

export class OpenFiles {
  readonly #store: ObjectStore;
  readonly #files = new Map<number, FileContent>();
  #pieces = 0;
  readonly #objects = new Map<string, LocalObject>();
  #bytesInMemory = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Descriptors that are kept open. */
  get openObjects(): number {
    return this.#objects.size;
  }

  /** Content of a node seen before. */
  get(node: number): FileContent | undefined {
    return this.#files.get(node);
  }

  remember(node: number, content: FileContent): FileContent {
    this.#pieces += content.pieces.length;
    for (const [oldest, { pieces }] of this.#files) {
      if (this.#files.size < KNOWN_FILES && this.#pieces <= KNOWN_PIECES) break;
      this.#files.delete(oldest);
      this.#pieces -= pieces.length;
    }
    this.#files.set(node, content);
    return content;
  }

  /** Copies from `offset` on into `target`; returns the bytes copied, fewer only at the end of the file. */
  read(content: FileContent, offset: number, target: Uint8Array): number {
    const end = Math.min(content.size, offset + target.length);
    let position = offset;
    for (let index = pieceAt(content.pieces, offset); position < end; index++) {
      const piece = content.pieces[index];
      if (content.onRead !== undefined) content.onRead(index);
      const object = this.#object(content, index);
      const inPiece = position - piece.offset;
      const wanted = Math.min(end - position, piece.size - inPiece);
      const got = object.read(target, position - offset, wanted, inPiece);
      if (got !== wanted) throw this.#shortened(piece.request);
      position += got;
    }
    return Math.max(0, position - offset);
  }

  close(): void {
    for (const key of this.#objects.keys()) this.#close(key);
    this.#files.clear();
  }

  #object(content: FileContent, index: number): LocalObject {
    const { request } = content.pieces[index];
    const key = request.hash.hex;
    const known = this.#objects.get(key);
    if (known) return known;
    const opened = this.#store.open(request.hash, request.size);
    if (!opened) {
      const ready = this.#store.fetch(request);
      this.#fetchAhead(content, index);
      throw new Pending(ready);
    }
    this.#fetchAhead(content, index);
    this.#bytesInMemory += bytesInMemory(opened);
    for (const oldest of this.#objects.keys()) {
      if (this.#objects.size < OPEN_OBJECTS && this.#bytesInMemory <= BYTES_IN_MEMORY) break;
      this.#close(oldest);
    }
    this.#objects.set(key, opened);
    return opened;
  }

  #close(key: string): void {
    const object = this.#objects.get(key);
    if (!object) return;
    this.#objects.delete(key);
    this.#bytesInMemory -= bytesInMemory(object);
    object.close();
  }

  #fetchAhead(content: FileContent, index: number): void {
    let bytes = 0;
    for (let i = index + 1; i < content.pieces.length && i <= index + MAX_PIECES_AHEAD && bytes < READ_AHEAD; i++) {
      const { request, size } = content.pieces[i];
      bytes += size;
      if (!this.#objects.has(request.hash.hex)) this.#store.prefetch(request);
    }
  }

  /** It had its size when it was opened: somebody cut off the file in the cache since. The network has it whole. */
  #shortened(request: ObjectRequest): Pending {
    this.#close(request.hash.hex);
    return new Pending(this.#store.fetch(request));
  }
}

/** Index of the last piece that starts at or before `offset`. */
function pieceAt(pieces: readonly Piece[], offset: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (pieces[middle].offset <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function bytesInMemory({ inMemory, size }: LocalObject): number {
  return inMemory ? size : 0;
}
