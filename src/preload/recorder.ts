// Writes down what a job uses of one repository (see record.ts): each thing once, and before the job sees it, so that the
// record is complete however the job ends.
import type { AccessRecorder } from '../filesystem/access-recorder.ts';
import type { AttachedCatalog } from '../filesystem/attached-catalog.ts';
import type { Directory } from '../filesystem/directory.ts';
import type { FileContent } from '../filesystem/open-files.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { encodeRecordEntry, type RecordEntry } from './record.ts';

type OfRepository<Entry> = Entry extends RecordEntry ? Omit<Entry, 'repository'> : never;

export class Recorder implements AccessRecorder {
  readonly #fqrn: string;
  readonly #write: (line: string) => void;
  /** Node ids of directories and links. */
  readonly #nodes = new Set<number>();
  /** Paths of those that are attached, with their hashes. */
  readonly #catalogs = new Set<string>();

  /** `write` gets lines with their ends, one at a time. */
  constructor(fqrn: string, write: (line: string) => void) {
    this.#fqrn = fqrn;
    this.#write = write;
  }

  directory({ node, path, catalog }: Directory): void {
    if (this.#isKnown(node)) return;
    this.#catalog(catalog);
    this.#add({ type: 'directory', path });
  }

  link(node: number, directory: Directory, { name, symlink }: CatalogEntry): void {
    if (this.#isKnown(node)) return;
    this.#catalog(directory.catalog);
    this.#add({ type: 'link', path: `${directory.path}/${name}`, target: symlink });
  }

  file(directory: Directory, { name }: CatalogEntry, content: FileContent): FileContent {
    this.#catalog(directory.catalog);
    const path = `${directory.path}/${name}`;
    const { pieces, size } = content;
    const whole = pieces.length === 1 && pieces[0].size === size;
    const read = new Uint8Array(pieces.length);
    return {
      ...content,
      onRead: (index) => {
        if (read[index] !== 0) return;
        read[index] = 1;
        const piece = pieces[index];
        const range = whole ? {} : { offset: piece.offset, size: piece.size };
        this.#add({ type: 'file', path, hash: piece.request.hash.toString(), ...range });
      },
    };
  }

  #isKnown(node: number): boolean {
    if (this.#nodes.has(node)) return true;
    this.#nodes.add(node);
    return false;
  }

  #catalog({ mountpoint, catalog }: AttachedCatalog): void {
    const hash = catalog.hash.toString();
    const key = `${hash} ${mountpoint}`;
    if (this.#catalogs.has(key)) return;
    this.#catalogs.add(key);
    this.#add({ type: 'catalog', path: mountpoint, hash, revision: catalog.revision });
  }

  #add(entry: OfRepository<RecordEntry>): void {
    this.#write(`${encodeRecordEntry({ repository: this.#fqrn, ...entry })}\n`);
  }
}
