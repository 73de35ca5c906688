// cvmfs_fsck: checks the objects of a cache directory (client.md §10.1), by the checksums that were noted when they were stored
// where there are some. Unlike the original it throws nothing away that it only failed to prove right.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChecksumOf } from '../cache/directory.ts';
import { checkObject, type ObjectState } from '../cache/object-check.ts';
import { Quota } from '../cache/quota/quota.ts';
import { quotaDirectory } from '../cache/quota/quota-files.ts';
import { ContentHash } from '../objects/hash.ts';

const USAGE = `Usage: cvmfs_fsck [-v] [-p] [-f] [-j N] <cache directory>

Example:
  cvmfs_fsck -p /var/tmp/cvmfs-1000/shared

  -v    name every file that is not proven right
  -p    move damaged files to quarantaine/, and have the cache database made anew
  -f    have the cache database made anew in any case
  -j N  files checked at once; default 2
`;

/** Bits of the exit status. */
const FIXED = 1;
const UNFIXED = 4;
const OPERATIONAL = 8;
const WRONG_USAGE = 16;

interface Options {
  readonly directory: string;
  readonly verbose: boolean;
  readonly fix: boolean;
  readonly force: boolean;
  readonly jobs: number;
}

export async function main(args: string[]): Promise<number> {
  if (args.includes('-h') || args.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = parse(args);
  if (!options) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  const check = new CacheCheck(options);
  try {
    await check.run();
  } catch (error) {
    process.stderr.write(`cvmfs_fsck: cannot check ${options.directory}: ${(error as Error).message}\n`);
    return OPERATIONAL;
  } finally {
    check.close();
  }
  return check.status;
}

function parse(args: readonly string[]): Options | undefined {
  const flags = new Set<string>();
  const directories: string[] = [];
  let jobs = 2;
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '-j') jobs = Number(queue.shift());
    else if (/^-[vpf]+$/.test(word)) for (const letter of word.slice(1)) flags.add(letter);
    else if (word.startsWith('-')) return undefined;
    else directories.push(word);
  }
  if (directories.length !== 1 || !(Number.isInteger(jobs) && jobs > 0 && jobs <= 64)) return undefined;
  return { directory: directories[0], verbose: flags.has('v'), fix: flags.has('p'), force: flags.has('f'), jobs };
}

class CacheCheck {
  status = 0;
  readonly #options: Options;
  readonly #counts: Record<ObjectState, number> = { good: 0, damaged: 0, unproven: 0 };

  /** undefined: the cache is another client's, or was never written to. */
  readonly #quota: Quota | undefined;
  readonly #checksumOf: ChecksumOf;

  constructor(options: Options) {
    this.#options = options;
    const { directory } = options;
    const place = quotaDirectory(directory);
    this.#quota = existsSync(place) ? new Quota({ directory, quotaDirectory: place, limit: undefined }) : undefined;
    this.#checksumOf = this.#quota?.checksums ?? (() => undefined);
  }

  close(): void {
    this.#quota?.close();
  }

  async run(): Promise<void> {
    const { directory, force, jobs } = this.#options;
    const files = objectFiles(directory);
    const worker = async (): Promise<void> => {
      for (let next = files.next(); !next.done; next = files.next()) await this.#check(next.value);
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    if (force || (this.status & FIXED) !== 0) rmSync(join(directory, 'cachedb'), { force: true });
    const { good, damaged, unproven } = this.#counts;
    process.stdout.write(`Verified ${good + damaged + unproven} files\n`);
    if (unproven === 0) return;
    process.stdout.write(
      `${unproven} of them can be neither proven right nor wrong: they were compressed by another zlib than the one here\n`,
    );
  }

  async #check({ path, hash }: { path: string; hash: ContentHash | undefined }): Promise<void> {
    // A temporary catalog, or nothing of a cache.
    if (!hash) return;
    let state: ObjectState;
    try {
      state = await checkObject(path, hash, this.#checksumOf(hash));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // evicted meanwhile
      process.stderr.write(`cvmfs_fsck: cannot read ${path}: ${(error as Error).message}\n`);
      this.status |= OPERATIONAL;
      return;
    }
    this.#counts[state]++;
    if (state === 'damaged') this.#treat(path, hash);
    else if (state === 'unproven' && this.#options.verbose) process.stdout.write(`not proven: ${path}\n`);
  }

  #treat(path: string, hash: ContentHash): void {
    const { directory, fix } = this.#options;
    process.stdout.write(`damaged: ${path}\n`);
    if (!fix) {
      this.status |= UNFIXED;
      return;
    }
    try {
      const quarantine = join(directory, 'quarantaine');
      mkdirSync(quarantine, { recursive: true, mode: 0o700 });
      renameSync(path, join(quarantine, path.slice(directory.length).replaceAll('/', '')));
      this.#quota?.removed(hash);
      this.status |= FIXED;
    } catch (error) {
      process.stderr.write(`cvmfs_fsck: cannot move ${path} away: ${(error as Error).message}\n`);
      this.status |= UNFIXED;
    }
  }
}

/** Throws for a directory that is no cache. */
function* objectFiles(directory: string): Generator<{ path: string; hash: ContentHash | undefined }> {
  const parts = readdirSync(directory).filter((name) => /^[0-9a-f]{2}$/.test(name));
  if (parts.length === 0) throw new Error('it has none of the directories 00 to ff of a cache');
  for (const part of parts.sort()) {
    for (const name of readdirSync(join(directory, part))) {
      yield { path: join(directory, part, name), hash: ContentHash.parse(part + name) };
    }
  }
}
