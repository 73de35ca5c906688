// Lists of READDIR and READDIRPLUS: records of fuse_dirent (ino, off u64, namelen, type u32, name, padded to 8 bytes),
// each with a fuse_entry_out in front for READDIRPLUS.

import { ENTRY_BYTES, type Timeout, writeEntry } from './attributes.ts';
import type { DirectorySink, Entry } from './operations.ts';
import { REPLY_HEADER_BYTES, type Reply } from './reply.ts';

const DIRENT_BYTES = 24;
/** FUSE_NAME_MAX: the kernel refuses a whole list for one longer name. */
const NAME_MAX = 1024;

export class DirectoryWriter implements DirectorySink {
  readonly #reply: Reply;
  readonly #entryValid: Timeout;
  readonly #attributesValid: Timeout;
  #plus = false;
  #at = REPLY_HEADER_BYTES;
  #end = REPLY_HEADER_BYTES;

  constructor(reply: Reply, entryValid: Timeout, attributesValid: Timeout) {
    this.#reply = reply;
    this.#entryValid = entryValid;
    this.#attributesValid = attributesValid;
  }

  /** Begins a list of at most `size` bytes. */
  begin(size: number, plus: boolean): void {
    this.#reply.reserve(size);
    this.#plus = plus;
    this.#at = REPLY_HEADER_BYTES;
    this.#end = REPLY_HEADER_BYTES + size;
  }

  /** Bytes of the list so far. */
  get length(): number {
    return this.#at - REPLY_HEADER_BYTES;
  }

  add(name: string, entry: Entry, next: number): boolean {
    const length = name.length;
    if (length === 0 || length > NAME_MAX) throw new RangeError(`a directory entry's name has ${length} bytes`);
    const entryBytes = this.#plus ? ENTRY_BYTES : 0;
    const after = this.#at + entryBytes + ((DIRENT_BYTES + length + 7) & ~7);
    if (after > this.#end) return false;
    const reply = this.#reply;
    const { bytes, words } = reply;
    let word = this.#at >> 2;
    if (this.#plus) {
      // "." and ".." must not be looked up by this: without a node id the kernel takes only their name.
      const special = name === '.' || name === '..';
      writeEntry(reply, word, special ? 0 : entry.node, entry.attributes, this.#entryValid, this.#attributesValid);
      word += ENTRY_BYTES >> 2;
    }
    reply.setU64(word, entry.attributes.ino);
    reply.setU64(word + 2, next);
    words[word + 4] = length;
    words[word + 5] = (entry.attributes.mode & 0o170000) >> 12;
    // The padding is within the last two words: zero, not what an earlier reply left there.
    words[(after >> 2) - 2] = 0;
    words[(after >> 2) - 1] = 0;
    const start = (word << 2) + DIRENT_BYTES;
    for (let i = 0; i < length; i++) bytes[start + i] = name.charCodeAt(i);
    this.#at = after;
    return true;
  }
}
