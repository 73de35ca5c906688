// What the words of `cvmfsexec preload` ask for: patterns on the command line, a dirtab, a record, from files or from
// standard input.
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Dirtab } from '../../preload/dirtab.ts';
import { PreloadError } from '../../preload/errors.ts';
import { PathTree } from '../../preload/path-tree.ts';
import { parseRecordEntry, type RecordEntry } from '../../preload/record.ts';

export interface WishSources {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Names of files; `-` is standard input. */
  readonly dirtab?: string;
  readonly run?: string;
}

export interface Wishes {
  /** What was named on the command line: it has to be there. */
  readonly named: Dirtab;
  readonly listed: Dirtab;
  readonly record?: PathTree;
}

export class WishList {
  readonly #sources: WishSources;
  readonly #dirtab: string;
  readonly #record: readonly RecordEntry[] | undefined;

  private constructor(sources: WishSources, dirtab: string, record: readonly RecordEntry[] | undefined) {
    this.#sources = sources;
    this.#dirtab = dirtab;
    this.#record = record;
  }

  /**
   * @param warn gets a line where a part of a record is left out
   * @throws PreloadError NO_FILE
   */
  static async read(sources: WishSources, warn: (message: string) => void): Promise<WishList> {
    const { dirtab, run } = sources;
    const record = run === undefined ? undefined : parseRecord(await readInput(run), run, warn);
    return new WishList(sources, dirtab === undefined ? '' : await readInput(dirtab), record);
  }

  /** Those of which something was recorded. */
  get repositories(): string[] {
    return [...new Set(this.#record?.map(({ repository }) => repository))];
  }

  /** @throws PreloadError BAD_PATTERN, Error when nothing is wanted */
  of(fqrn: string): Wishes {
    const { paths, exclude, dirtab = '' } = this.#sources;
    const lines = [...paths.map((path) => insideOf(fqrn, path)), ...exclude.map((pattern) => `!${pattern}`)];
    const named = Dirtab.parse(latin1(lines.join('\n')), 'the words of the command');
    const listed = Dirtab.parse(this.#dirtab, dirtab);
    if (named.isEmpty && listed.isEmpty && !this.#record) {
      throw new Error(`nothing of ${fqrn} is wanted: give paths ('/' is all of it), --dirtab FILE or --run FILE`);
    }
    return { named, listed, record: this.#record && PathTree.ofRecord(this.#record, fqrn) };
  }
}

/** Paths may be given as they are in a mount. */
function insideOf(fqrn: string, path: string): string {
  const mountpoint = `/cvmfs/${fqrn}`;
  return `${path}/`.startsWith(`${mountpoint}/`) ? path.slice(mountpoint.length) || '/' : path;
}

function parseRecord(content: string, file: string, warn: (message: string) => void): RecordEntry[] {
  const lines = Buffer.from(content, 'latin1').toString('utf8').split('\n').filter(Boolean);
  const entries = lines.map(parseRecordEntry).filter((entry) => entry !== undefined);
  if (entries.length < lines.length) {
    warn(`${lines.length - entries.length} lines of ${file} are no entries of a record: left out`);
  }
  return entries;
}

/** As Latin-1, one character a byte. */
async function readInput(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin.setEncoding('latin1')) : readFileSync(file, 'latin1');
  } catch (cause) {
    throw new PreloadError('NO_FILE', `cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

function latin1(words: string): string {
  return Buffer.from(words, 'utf8').toString('latin1');
}
