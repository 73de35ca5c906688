// What the reference's checker verifies of a whole repository, and what its client demands (client.md §14.13, §14.14),
// with every object's content as its option for local storage does. Independent of the publisher; the fixtures of the
// reference's own publisher must pass it.
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inflateSync } from 'node:zlib';
import { ContentHash } from '../../src/objects/hash.ts';
import { fingerprint, parseCertificate } from '../../src/repository/certificate.ts';
import { isSignedByMasterKey, isSignedByRepositoryKey, parseLetter } from '../../src/repository/letter.ts';
import { type Manifest, parseManifest } from '../../src/repository/manifest.ts';
import { isExpired, parseWhitelist } from '../../src/repository/whitelist.ts';
import {
  type CatalogData,
  COUNTERS,
  checkCatalog,
  countRows,
  isRegular,
  type Row,
  readCatalog,
} from './checker-catalog.ts';

const ALGORITHMS = ['sha1', 'rmd160', 'shake128'] as const;

export interface CheckResult {
  /** Empty for a repository without fault. Each begins with the path or the file it is about. */
  readonly problems: string[];
  readonly manifest: Manifest;
  /** Path to row, of the whole tree; mountpoints have the row of the nested catalog. */
  readonly rows: ReadonlyMap<string, Row>;
  /** Path to hash and property `revision` of every catalog. */
  readonly catalogs: ReadonlyMap<string, { hash: string; revision: number; previous: string | undefined }>;
}

/** Checks the newest revision. `publicKey` is the file of the master key that clients have. */
export function checkRepository(directory: string, publicKey: string): CheckResult {
  const check = new Check(directory);
  try {
    return check.run(publicKey);
  } finally {
    check.close();
  }
}

class Check {
  readonly #directory: string;
  readonly #scratch = mkdtempSync(join(tmpdir(), 'check-'));
  readonly #problems: string[] = [];
  readonly #rows = new Map<string, Row>();
  readonly #catalogs = new Map<string, { hash: string; revision: number; previous: string | undefined }>();
  readonly #seen = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  run(publicKey: string): CheckResult {
    const letterBytes = readFileSync(join(this.#directory, '.cvmfspublished'));
    const manifest = parseManifest(letterBytes);
    this.#trust(letterBytes, manifest, publicKey);
    if (manifest.metainfo) JSON.parse(this.#object(manifest.metainfo, 'M').toString());
    this.#checkReflog(manifest);
    if (manifest.history) this.#checkHistory(this.#object(manifest.history, 'H'), manifest);
    if (manifest.alternativePath) {
      for (const name of [`${manifest.rootHash}C`, `${manifest.certificate}X`]) {
        this.#demand(existsSync(join(this.#directory, `.cvmfsalt-${name}`)), `.cvmfsalt-${name}: missing`);
      }
    }
    this.#checkTree('', manifest.rootHash, manifest.rootSize, undefined);
    const root = this.#catalogs.get('')!;
    this.#demand(root.revision === manifest.revision, '/: revision property is not that of the manifest');
    return { problems: this.#problems, manifest, rows: this.#rows, catalogs: this.#catalogs };
  }

  #demand(truth: boolean, problem: string): void {
    if (!truth) this.#problems.push(problem);
  }

  #trust(letterBytes: Buffer, manifest: Manifest, publicKey: string): void {
    const certificate = parseCertificate(this.#object(manifest.certificate!, 'X'));
    const signed = isSignedByRepositoryKey(parseLetter(letterBytes), certificate.publicKey);
    this.#demand(signed, '.cvmfspublished: wrong signature');
    const whitelistBytes = readFileSync(join(this.#directory, '.cvmfswhitelist'));
    const whitelist = parseWhitelist(whitelistBytes);
    const key = createPublicKey(readFileSync(publicKey));
    this.#demand(isSignedByMasterKey(parseLetter(whitelistBytes), [key]), '.cvmfswhitelist: wrong signature');
    this.#demand(whitelist.name === manifest.name, '.cvmfswhitelist: other name');
    this.#demand(!isExpired(whitelist, new Date()), '.cvmfswhitelist: expired');
    const listed = whitelist.fingerprints.some((hash) => hash.equals(fingerprint(certificate, hash.algorithm)));
    this.#demand(listed, '.cvmfswhitelist: certificate is not listed');
  }

  /** The content of an object, whose bytes must have its hash. */
  #object(hash: ContentHash, letter: string, compression: 'zlib' | 'none' = 'zlib'): Buffer {
    const path = `data/${hash.hex.slice(0, 2)}/${hash.tail}${letter}`;
    const file = join(this.#directory, path);
    if (!existsSync(file)) {
      this.#problems.push(`${path}: missing`);
      return Buffer.alloc(0);
    }
    const stored = readFileSync(file);
    this.#demand(ContentHash.of(hash.algorithm, stored).equals(hash), `${path}: wrong hash`);
    return compression === 'zlib' ? inflateSync(stored) : stored;
  }

  #database<T>(data: Uint8Array, use: (file: string) => T): T {
    const file = join(this.#scratch, 'database');
    this.#demand(data[18] === 1 && data[19] === 1, 'a database is in WAL mode');
    writeFileSync(file, data);
    return use(file);
  }

  #checkReflog(manifest: Manifest): void {
    const data = readFileSync(join(this.#directory, '.cvmfsreflog'));
    const hash = manifest.reflog && ContentHash.of(manifest.reflog.algorithm, data);
    this.#demand(hash?.equals(manifest.reflog) === true, '.cvmfsreflog: hash is not that of the manifest');
    const refs = this.#database(data, (file) => {
      const database = new DatabaseSync(file, { readOnly: true });
      const rows = database.prepare('SELECT hash, type FROM refs').all();
      database.close();
      return new Set(rows.map((row) => `${row.type} ${row.hash}`));
    });
    const entries = [manifest.rootHash, manifest.certificate, manifest.history, manifest.metainfo];
    entries.forEach((entry, type) => {
      if (entry) this.#demand(refs.has(`${type} ${entry}`), `.cvmfsreflog: ${entry} is not in it`);
    });
  }

  #checkHistory(data: Buffer, manifest: Manifest): void {
    const [tags, branches, fqrn] = this.#database(data, (file) => {
      const database = new DatabaseSync(file, { readOnly: true });
      const result = [
        database.prepare('SELECT * FROM tags').all(),
        database.prepare('SELECT * FROM branches').all(),
        database.prepare(`SELECT value FROM properties WHERE key = 'fqrn'`).get()?.value,
      ] as const;
      database.close();
      return result;
    });
    this.#demand(fqrn === manifest.name, 'history: other name');
    for (const tag of tags) {
      const branch = branches.find((row) => row.branch === tag.branch);
      const valid = branch !== undefined && Number(tag.revision) >= Number(branch.initial_revision);
      this.#demand(valid, `history: tag ${tag.name} has no valid branch`);
      const catalog = this.#object(ContentHash.parse(String(tag.hash))!, 'C');
      this.#demand(catalog.length === tag.size, `history: tag ${tag.name} has another size`);
    }
    for (const { branch } of branches) {
      this.#demand(
        tags.some((tag) => tag.branch === branch),
        `history: nothing uses the branch '${branch}'`,
      );
    }
    const trunk = tags.find((tag) => tag.name === 'trunk');
    this.#demand(trunk?.hash === manifest.rootHash.toString(), 'history: trunk is not the newest revision');
  }

  /** Returns the sum of all self_ counters of the catalog and those below. */
  #checkTree(path: string, hash: ContentHash, size: number, transition: Row | undefined): Map<string, number> {
    const data = this.#object(hash, 'C');
    if (data.length === 0) return new Map();
    this.#demand(data.length === size, `${path || '/'}: catalog has ${data.length} bytes, not ${size}`);
    const catalog = this.#database(data, readCatalog);
    const { problems, byPath } = checkCatalog(path, catalog);
    this.#problems.push(...problems);
    const { properties } = catalog;
    const revision = Number(properties.get('revision'));
    this.#catalogs.set(path, { hash: hash.toString(), revision, previous: properties.get('previous_revision') });
    if (transition !== undefined) this.#compareTransition(path, transition, byPath.get(path));
    for (const [at, row] of byPath) {
      this.#rows.set(at, row);
      if (isRegular(row)) this.#checkContent(at, row, catalog);
    }
    const subtree = new Map(COUNTERS.map((name) => [name, 0]));
    for (const reference of catalog.nested) {
      const below = this.#checkTree(
        reference.path,
        ContentHash.parse(reference.hash)!,
        reference.size,
        byPath.get(reference.path),
      );
      for (const name of COUNTERS) subtree.set(name, subtree.get(name)! + (below.get(name) ?? 0));
    }
    for (const reference of catalog.bound) {
      const bound = this.#object(ContentHash.parse(reference.hash)!, 'C');
      this.#demand(bound.length === reference.size, `${reference.path}: bound catalog has another size`);
    }
    return this.#compareCounters(path, catalog, subtree);
  }

  #compareTransition(path: string, above: Row, below: Row | undefined): void {
    const fields = ({ name, mode, size, mtime, links, hash, hasXattrs }: Row) =>
      [name, mode, size, mtime, links, hash, hasXattrs].join();
    const equal = below !== undefined && fields(above) === fields(below);
    this.#demand(equal, `${path}: mountpoint and nested root differ`);
  }

  #compareCounters(path: string, catalog: CatalogData, subtree: Map<string, number>): Map<string, number> {
    const self = countRows(catalog);
    const sum = new Map<string, number>();
    for (const name of COUNTERS) {
      for (const [scope, expected] of [['self', self.get(name)!] as const, ['subtree', subtree.get(name)!] as const]) {
        const found = catalog.statistics.get(`${scope}_${name}`);
        this.#demand(found === expected, `${path || '/'}: counter ${scope}_${name} is ${found}, not ${expected}`);
      }
      sum.set(name, self.get(name)! + subtree.get(name)!);
    }
    return sum;
  }

  #checkContent(path: string, row: Row, catalog: CatalogData): void {
    if (row.flags & 128) return;
    const algorithm = ALGORITHMS[(row.flags & 0x700) >> 8]!;
    const compression = row.flags & 0x800 ? 'none' : 'zlib';
    const check = (hex: string, letter: string, size: number) => {
      if (this.#seen.has(`${hex}${letter}${size}`)) return;
      this.#seen.add(`${hex}${letter}${size}`);
      const { length } = this.#object(new ContentHash(algorithm, hex), letter, compression);
      this.#demand(length === size, `${path}: object has ${length} bytes, not ${size}`);
    };
    if (row.hash !== undefined) check(row.hash, '', row.size);
    if (row.flags & 64) for (const chunk of catalog.chunks.get(row.key) ?? []) check(chunk.hash, 'P', chunk.size);
  }
}
