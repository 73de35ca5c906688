// A job that reads, in many ways, repositories made for it, and compares with what was published.
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTestRepository, type TestRepository } from '../test/support/repository.ts';
import type { Installation, Launch } from '../test/support/run-cvmfsexec.ts';
import { pseudoRandom } from '../test/support/tree-sample.ts';

/** What reader.py prints. */
export interface ReaderResult {
  readonly checks: number;
  readonly bytes: number;
  /** EIO in tolerant mode. */
  readonly tolerated: number;
  /** Seconds of the longest single thing that was done. */
  readonly longest: number;
  /** Of the single system call that took longest: seconds, and which it was. */
  readonly longestCall: readonly [number, string];
  readonly wrong: readonly string[];
}

export interface ReadingJobOptions {
  readonly repositories: readonly TestRepository[];
  readonly servers: readonly string[];
  readonly workers: number;
  readonly seed: number;
  readonly tolerant: boolean;
  readonly parameters?: Readonly<Record<string, string>>;
  /** A file that comes and goes: [directory, bytes]. */
  readonly ballast?: readonly [string, number];
  readonly more?: Partial<Launch>;
}

const DIRECTORIES = 24;
const FILES = 12;

/** Nested catalogs, chunked and empty files, links, scripts and one program in machine code. */
export function makeReadable(fqrn: string, seed: number): Promise<TestRepository> {
  return makeTestRepository({
    fqrn,
    xattrs: new Map(),
    writeTree(tree) {
      for (let d = 0; d < DIRECTORIES; d++) {
        const directory = join(tree, `group-${d % 4}`, `set-${d}`);
        mkdirSync(directory, { recursive: true });
        if (d % 3 === 0) writeFileSync(join(directory, '.cvmfscatalog'), '');
        for (let f = 0; f < FILES; f++) {
          const size = [0, 100, 5000, 70_000, 250_000][(d + f) % 5];
          writeFileSync(join(directory, `file-${f}`), pseudoRandom(size, seed + d * FILES + f));
        }
        symlinkSync(`file-${d % FILES}`, join(directory, 'link'));
        script(join(directory, 'script'), `echo ${d} "$@"`);
      }
      copyFileSync('/bin/echo', join(tree, 'program'));
      chmodSync(join(tree, 'program'), 0o755);
    },
  });
}

/** One directory for a web server, with all of them in it. */
export function servedTogether(place: Installation, repositories: readonly TestRepository[]): string {
  const root = place.newPath();
  mkdirSync(root);
  for (const { fqrn, directory } of repositories) symlinkSync(directory, join(root, fqrn));
  return root;
}

/** Ends when its stdin does. Python, because Node can neither map files nor drop pages. */
export function startReading(place: Installation, options: ReadingJobOptions) {
  const { repositories, servers, workers, seed, tolerant, parameters, ballast, more } = options;
  const reader = join(place.directory, 'reader.py');
  copyFileSync(join(import.meta.dirname, 'reader.py'), reader);
  const keys = join(place.directory, 'keys');
  mkdirSync(keys, { recursive: true });
  for (const { fqrn, publicKey } of repositories) copyFileSync(publicKey, join(keys, `${fqrn}.pub`));
  const trees = repositories.map(({ fqrn, tree }) => [`/cvmfs/${fqrn}`, tree, fqrn]);
  return place.start({
    repositories: repositories.map(({ fqrn }) => fqrn),
    command: ['/usr/bin/python3', '-B', reader, JSON.stringify({ trees, workers, seed, tolerant, ballast })],
    ...more,
    parameters: {
      SERVER_URL: servers.map((url) => `${url}/@fqrn@`).join(';'),
      KEYS_DIR: keys,
      ...parameters,
    },
  });
}

export function readerResult(stdout: string, stderr: string): ReaderResult {
  try {
    return JSON.parse(stdout) as ReaderResult;
  } catch {
    throw new Error(`the job did not come to its end: ${stdout}${stderr}`);
  }
}

export function figures({ checks, bytes, tolerated, longest, longestCall: [call, which] }: ReaderResult): string {
  const errors = tolerated > 0 ? `, ${tolerated} of them EIO while the storm went on` : '';
  return `${checks} comparisons${errors}, ${Math.round(bytes / 1e6)} MB; the longest took ${longest.toFixed(1)} s, the longest call ${call.toFixed(1)} s (${which})`;
}

function script(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}
