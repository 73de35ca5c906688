// Publishes the newest revision with the changes of a tar archive: what is in it is added or takes the place of what is
// there, and marks of deletion as in the layers of container images are followed (`.wh.NAME`, `.wh..wh..opq`).
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TarEntry } from '../tar/header.ts';
import { TarReader } from '../tar/reader.ts';
import { ChangedTree } from './changed-tree.ts';
import { ContentWriter } from './content-writer.ts';
import { PublishError, reason } from './errors.ts';
import { type Publication, type PublishOptions, publishFrom } from './publish.ts';
import { readPublishedTree } from './published-tree.ts';
import type { RepositoryLocation } from './repository.ts';
import { syntheticEntry, type TreeEntry } from './tree-entry.ts';

export interface IngestOptions extends Omit<PublishOptions, 'xattrs'> {
  /** Directory of the repository that the archive's names are below; default: its root. Made if it is not there. */
  readonly base?: string;
}

/** Files of the archive that are on the disk at once, and their bytes. */
const SPOOLED_FILES = 200;
const SPOOLED_BYTES = 64 << 20;

/** @throws PublishError */
export function ingest(
  location: RepositoryLocation,
  archive: string,
  options: IngestOptions = {},
): Promise<Publication> {
  return publishFrom(location, options, async ({ objects, settings, previous }) => {
    const root = readPublishedTree(objects, previous, settings.compression);
    const tree = new ChangedTree(root, Buffer.from(options.base ?? '').toString('latin1'));
    const spool = mkdtempSync(join(location.directory, 'data/txn', 'ingest-'));
    const files = new SpooledFiles(spool, new ContentWriter(objects, settings));
    const fd = openArchive(archive);
    try {
      const reader = new TarReader(fd);
      for (const entry of reader.entries()) {
        const changed = tree.apply(entry);
        if (changed?.kind === 'file' && entry.kind === 'file') await files.store(entry, changed, reader);
      }
      await files.flush();
      tree.finish();
    } catch (error) {
      if (error instanceof PublishError) throw error;
      throw new PublishError('TREE', `cannot read ${archive}: ${reason(error)}`, error);
    } finally {
      closeSync(fd);
      rmSync(spool, { recursive: true, force: true });
    }
    return { root, store: async () => {} };
  });
}

function openArchive(archive: string): number {
  try {
    return openSync(archive, 'r');
  } catch (error) {
    throw new PublishError('TREE', `cannot read ${archive}: ${reason(error)}`, error);
  }
}

/** The data of files, which go over the disk a few at a time: chunks are cut and compressed from there. */
class SpooledFiles {
  readonly #directory: string;
  #writer: ContentWriter;
  #waiting: { spooled: TreeEntry; target: TreeEntry }[] = [];
  #bytes = 0;
  #number = 0;

  constructor(directory: string, writer: ContentWriter) {
    this.#directory = directory;
    this.#writer = writer;
  }

  async store({ size }: TarEntry, target: TreeEntry, reader: TarReader): Promise<void> {
    const name = String(this.#number++);
    const fd = openSync(join(this.#directory, name), 'wx', 0o600);
    let mtime: bigint;
    try {
      reader.copyTo(fd);
      mtime = fstatSync(fd, { bigint: true }).mtimeNs;
    } finally {
      closeSync(fd);
    }
    const times = { mtime: mtime / 1_000_000_000n, mtimeNs: Number(mtime % 1_000_000_000n) };
    const parent = syntheticEntry({ ...target, path: '' }, '', {
      kind: 'directory',
      mode: 0o040700,
      size: 0,
      path: '',
    });
    const spooled = syntheticEntry(parent, name, { kind: 'file', mode: 0o100600, size, ...times });
    this.#waiting.push({ spooled, target });
    this.#bytes += size;
    if (this.#waiting.length >= SPOOLED_FILES || this.#bytes >= SPOOLED_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    this.#bytes = 0;
    await this.#writer.storeAll(
      this.#directory,
      waiting.map(({ spooled }) => spooled),
    );
    for (const { spooled, target } of waiting) {
      target.content = spooled.content;
      rmSync(join(this.#directory, spooled.name));
    }
  }
}
