// Who is told what a job uses of a repository (`--record`). Each may be told many times; all is synchronous, so that what
// was told is safe before the job gets its answer.
import type { CatalogEntry } from '../repository/catalog.ts';
import type { Directory } from './directory.ts';
import type { FileContent } from './open-files.ts';

export interface AccessRecorder {
  /** Names were looked up in it, or it was listed. */
  directory(directory: Directory): void;
  /** The target of a symlink in `directory` was asked for. */
  link(node: number, directory: Directory, entry: CatalogEntry): void;
  /** A file is about to be read for the first time: gives its content, made so that the pieces that are read are noticed. */
  file(directory: Directory, entry: CatalogEntry, content: FileContent): FileContent;
}
