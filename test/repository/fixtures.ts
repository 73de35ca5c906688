// Repositories made by the reference publisher: unpacked to a temporary directory, and read from there.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { gunzipSync, inflateSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { ContentHash } from '../../src/objects/hash.ts';
import { type LocalObject, type ObjectRequest, objectPath } from '../../src/objects/object.ts';
import { readMasterKeys } from '../../src/repository/master-keys.ts';
import type { ObjectReader, RepositorySource } from '../../src/repository/source.ts';

const DIRECTORY = new URL('../../../shared/fixtures/', import.meta.url).pathname;

/** Names of the fixture repositories, none where there are no fixtures. */
export const fixtureNames: readonly string[] = existsSync(DIRECTORY)
  ? readdirSync(DIRECTORY)
      .filter((name) => /^[a-z]+\.example\.org\.tar\.gz$/.test(name))
      .map((name) => name.slice(0, -'.tar.gz'.length))
  : [];

/** Says why a test is skipped where the fixtures are not there. */
export function needsFixtures(t: ExecutionContext): boolean {
  if (fixtureNames.length > 0) return true;
  t.log('skipped: no fixture repositories in ../shared/fixtures');
  t.pass();
  return false;
}

/** Content of a file beside the repositories; decompressed when it ends in .gz. */
export function fixtureFile(name: string): Buffer {
  const content = readFileSync(DIRECTORY + name);
  return name.endsWith('.gz') ? gunzipSync(content) : content;
}

export function hasFixtureFile(name: string): boolean {
  return existsSync(DIRECTORY + name);
}

export function fixtureKeys(fqrn: string) {
  return readMasterKeys([`${DIRECTORY}keys/${fqrn}.pub`]);
}

/** The repository as its server delivers it, unpacked for the time of one test. */
export function fixtureRepository(t: ExecutionContext, fqrn: string): TestRepository {
  const directory = mkdtempSync(`${tmpdir()}/repository-test-`);
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  unpack(`${fqrn}.tar.gz`, directory);
  const external = `${fqrn}.external-data.tar.gz`;
  if (!existsSync(DIRECTORY + external)) return new TestRepository(`${directory}/${fqrn}`);
  mkdirSync(`${directory}/external`);
  unpack(external, `${directory}/external`);
  return new TestRepository(`${directory}/${fqrn}`, `${directory}/external/${fqrn}`);
}

function unpack(archive: string, directory: string): void {
  const { status, stderr } = spawnSync('tar', ['-xzf', DIRECTORY + archive, '-C', directory]);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
}

/** A server and a cache in one: delivers files and verified objects of a directory, and what a test replaces of them. */
export class TestRepository implements RepositorySource, ObjectReader {
  readonly directory: string;
  /** Where external files are, by their path in the repository. */
  readonly externalDirectory: string;
  /** Content by path, instead of what is in the directory; undefined: no such file. */
  readonly replaced = new Map<string, Buffer | undefined>();
  /** What was asked for, in order; objects by their path. */
  readonly requests: string[] = [];
  readonly #local = new Map<string, Buffer>();

  constructor(directory: string, externalDirectory = '/nonexistent') {
    this.directory = directory;
    this.externalDirectory = externalDirectory;
  }

  async file(path: string, limit: number): Promise<Buffer> {
    this.requests.push(path);
    await undefined;
    const content = this.read(path);
    if (content.length > limit) throw new Error(`${path} is too long`);
    return content;
  }

  open(hash: ContentHash): LocalObject | undefined {
    const content = this.#local.get(hash.toString());
    return content && localObject(content);
  }

  async fetch(request: ObjectRequest): Promise<void> {
    const { external } = request;
    const path = external ? `external ${external.path}` : objectPath(request);
    this.requests.push(path);
    await undefined;
    const stored = external ? this.#external(external) : this.read(path);
    if (!ContentHash.of(request.hash.algorithm, stored).equals(request.hash)) throw new Error(`${path} is damaged`);
    this.#local.set(request.hash.toString(), request.compression === 'zlib' ? inflateSync(stored) : stored);
  }

  async object(hash: ContentHash, letter: ObjectRequest['letter']): Promise<LocalObject> {
    await this.fetch({ hash, letter, compression: 'zlib', label: 'object' });
    return this.open(hash)!;
  }

  /** Forgets what was fetched. */
  clear(): void {
    this.#local.clear();
    this.requests.length = 0;
  }

  #external({ path, offset = 0, length }: NonNullable<ObjectRequest['external']>): Buffer {
    const content = readFileSync(Buffer.from(this.externalDirectory + path, 'latin1'));
    return content.subarray(offset, length === undefined ? undefined : offset + length);
  }

  read(path: string): Buffer {
    if (!this.replaced.has(path)) return readFileSync(this.directory + path);
    const content = this.replaced.get(path);
    if (!content) throw new Error(`${path}: 404`);
    return content;
  }
}

export function localObject(content: Buffer): LocalObject {
  return {
    size: content.length,
    read: (target, offset, length, position) =>
      content.copy(target, offset, position, Math.min(content.length, position + length)),
    close: () => {},
  };
}
