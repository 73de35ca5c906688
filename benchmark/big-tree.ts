// The tree of the big benchmark repository: laid out from a seed, filled with the machine's own /usr, so that names are
// the same everywhere and data compress like real ones.
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export interface BigTreeCounts {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly nestedCatalogs: number;
}

/** Paths in the tree that the benchmarks work on. */
export interface BigTreePlaces {
  /** 20,000 small files, 292 MB. */
  readonly smallFiles: string;
  /** 11,000 header files. */
  readonly headers: string;
  /** One file of 300 MB. */
  readonly largeFile: string;
}

/** 1 is the full size; tests of the generator take less. */
export type Scale = number;

const FILES = 200_000;
const DIRECTORIES = 26_500;
const SYMLINKS = 5_066;
const SMALL_FILES = 20_000;
const SMALL_FILES_BYTES = 292e6;
const HEADERS = 11_000;
const LARGE_FILES_MB = [300, 200, 150, 100];
const VERSIONS = 56;
/** Files of /usr up to this size fill the software directories. */
const MAX_POOL_FILE = 48 << 10;
const BLOCK = 64 << 10;
const SOURCE = '/usr';

/** A random number generator with a seed: whole numbers from 0 to below `limit`. */
type Random = (limit: number) => number;

export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Writes the tree into an empty directory. Takes about a minute and 2.5 GB at full size. */
export function writeBigTree(
  root: string,
  seed: number,
  scale: Scale,
): { counts: BigTreeCounts; places: BigTreePlaces } {
  const builder = new TreeBuilder(root, seededRandom(seed));
  const pool = collectPool();
  const corpus = readCorpus(pool.large, Math.ceil(320e6 * scale));
  const scaled = (count: number) => Math.max(1, Math.round(count * scale));
  writeSmallFiles(builder, corpus, scaled(SMALL_FILES), SMALL_FILES_BYTES * scale);
  writeHeaders(builder, pool.headers, scaled(HEADERS));
  LARGE_FILES_MB.forEach((size) => {
    writeLargeFile(builder, corpus, `data/set-${size}/events-${size}.dat`, Math.round(size * 1e6 * scale));
  });
  builder.marker('data');
  writeSoftware(builder, pool.small, {
    files: scaled(FILES),
    directories: scaled(DIRECTORIES),
    symlinks: scaled(SYMLINKS),
  });
  return {
    counts: builder.counts,
    places: { smallFiles: 'small-files', headers: 'include', largeFile: 'data/set-300/events-300.dat' },
  };
}

class TreeBuilder {
  readonly root: string;
  readonly random: Random;
  readonly counts = { files: 0, directories: 1, symlinks: 0, nestedCatalogs: 1 };
  readonly #directories = new Set<string>(['.']);

  constructor(root: string, random: Random) {
    this.root = root;
    this.random = random;
  }

  directory(path: string): void {
    if (this.#directories.has(path)) return;
    this.directory(dirname(path));
    mkdirSync(join(this.root, path));
    this.#directories.add(path);
    this.counts.directories++;
  }

  file(path: string, content: Uint8Array): void {
    this.directory(dirname(path));
    writeFileSync(join(this.root, path), content);
    this.counts.files++;
  }

  symlink(path: string, target: string): void {
    symlinkSync(target, join(this.root, path));
    this.counts.symlinks++;
  }

  /** Begins a nested catalog. */
  marker(directory: string): void {
    this.file(`${directory}/.cvmfscatalog`, Buffer.alloc(0));
    this.counts.nestedCatalogs++;
  }
}

interface Pool {
  /** Paths of readable regular files, in the order of their names. */
  readonly small: string[];
  readonly large: string[];
  readonly headers: string[];
}

function collectPool(): Pool {
  const pool: Pool = { small: [], large: [], headers: [] };
  const visit = (directory: string) => {
    const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      if (!entry.isFile()) continue;
      const { size } = lstatSync(path);
      if (/\.(h|hh|hpp|hxx)$/.test(entry.name)) pool.headers.push(path);
      if (size > 0) (size <= MAX_POOL_FILE ? pool.small : pool.large).push(path);
    }
  };
  visit(SOURCE);
  return pool;
}

/** Real data, one file after the other. A machine with little in /usr gives less than `length` bytes. */
function readCorpus(paths: readonly string[], length: number): Buffer {
  const corpus = Buffer.allocUnsafe(length);
  let position = 0;
  for (const path of paths) {
    // A share of each file, so that one huge program is not all there is.
    const data = readFileSync(path).subarray(0, 2 << 20);
    position += data.copy(corpus, position);
    if (position >= length) break;
  }
  return corpus.subarray(0, position);
}

function writeSmallFiles(builder: TreeBuilder, corpus: Buffer, count: number, bytes: number): void {
  const average = bytes / count;
  let left = bytes;
  for (let i = 0; i < count; i++) {
    const size = i === count - 1 ? Math.round(left) : Math.round(average * (0.1 + builder.random(1800) / 1000));
    left -= size;
    const start = builder.random(Math.max(1, corpus.length - size));
    const path = `small-files/part-${String(Math.floor(i / 200)).padStart(3, '0')}/record-${String(i).padStart(5, '0')}`;
    builder.file(path, corpus.subarray(start, start + Math.max(1, size)));
  }
  builder.marker('small-files');
}

function writeHeaders(builder: TreeBuilder, headers: readonly string[], count: number): void {
  for (let i = 0; i < count; i++) {
    const round = Math.floor(i / headers.length);
    const source = headers[i % headers.length]!;
    builder.file(`include/set-${round}${source.slice(SOURCE.length)}`, readFileSync(source));
  }
  builder.marker('include');
}

/** Blocks of real data in another order for each file: no chunk occurs twice. */
function writeLargeFile(builder: TreeBuilder, corpus: Buffer, path: string, size: number): void {
  builder.file(path, Buffer.alloc(0));
  const descriptor = openSync(join(builder.root, path), 'w');
  try {
    for (let position = 0; position < size; ) {
      const length = Math.min(BLOCK, size - position, corpus.length);
      const start = builder.random(corpus.length - length + 1);
      position += writeSync(descriptor, corpus, start, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

interface Totals {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
}

/** Programs in versions, each version a nested catalog, until the whole tree has what `totals` says. */
function writeSoftware(builder: TreeBuilder, pool: readonly string[], totals: Totals): void {
  const { random, counts } = builder;
  const versions = Array.from(
    { length: VERSIONS },
    (_, i) => `software/app-${String(i >> 2).padStart(2, '0')}/${i & 3}.0`,
  );
  for (const version of versions) builder.marker(version);
  versions.forEach((version, i) => {
    const share = (total: number, done: number) => Math.max(0, Math.round((total - done) / (versions.length - i)));
    const directories = growDirectories(builder, version, share(totals.directories, counts.directories));
    const files: string[] = [];
    for (let left = share(totals.files, counts.files); left > 0; left--) {
      const source = pool[random(pool.length)]!;
      const name = source.slice(source.lastIndexOf('/') + 1).slice(0, 200);
      files.push(`${directories[random(directories.length)]}/${String(left)}-${name}`);
      builder.file(files.at(-1)!, readFileSync(source));
    }
    for (let left = share(totals.symlinks, counts.symlinks); left > 0; left--) {
      const target = files[random(files.length)] ?? `${version}/.cvmfscatalog`;
      builder.symlink(`${dirname(target)}/link-${left}`, target.slice(target.lastIndexOf('/') + 1));
    }
  });
}

/** Makes `count` directories below `top`, up to a depth of 8, and returns them. */
function growDirectories(builder: TreeBuilder, top: string, count: number): string[] {
  const directories = [top];
  for (let i = 0; i < count; i++) {
    const parent = directories[builder.random(directories.length)]!;
    const depth = parent.split('/').length;
    const path = `${depth < 10 ? parent : top}/lib-${i}`;
    builder.directory(path);
    directories.push(path);
  }
  return directories;
}
