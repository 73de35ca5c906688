// `npm run benchmark`: what people do with a big repository, measured as an ordinary user.
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIG_FQRN, makeBigRepository } from './big-repository.ts';
import { Caches } from './caches.ts';
import type { Source } from './contestants/contestant.ts';
import { cvmfsexec } from './contestants/cvmfsexec.ts';
import { disk } from './contestants/disk.ts';
import { referenceClient } from './contestants/reference-client.ts';
import { squashfuse } from './contestants/squashfuse.ts';
import { writeFileLists } from './file-lists.ts';
import { killAllJobs } from './job.ts';
import { loadAverage } from './machine.ts';
import { measureAll } from './measurements.ts';
import { type OrdinaryUser, ordinaryUser } from './ordinary-user.ts';
import { allRows } from './rows/all-rows.ts';
import { parseRunOptions, type RunOptions, USAGE } from './run-options.ts';
import { table } from './table.ts';
import { startWebServer } from './web-server.ts';

const PACKAGE = join(import.meta.dirname, '..');

try {
  const options = parseRunOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await benchmark(options, ordinaryUser(options.user));
} catch (error) {
  console.error(`benchmark: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** With a directory for everything that is written, gone at the end however that comes. */
async function benchmark(options: RunOptions, user: OrdinaryUser): Promise<void> {
  const own = mkdtempSync(join(tmpdir(), 'cvmfsexec-benchmark-'));
  giveTo(user, own);
  const cleanUp = () => {
    killAllJobs();
    rmSync(own, { recursive: true, force: true, maxRetries: 3 });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      cleanUp();
      process.kill(process.pid, signal);
    });
  }
  try {
    await benchmarkIn(own, options, user);
  } finally {
    cleanUp();
  }
}

async function benchmarkIn(own: string, options: RunOptions, user: OrdinaryUser): Promise<void> {
  const { directory } = options;
  say(`the big repository is in ${directory}, or is made there now`);
  const { places, counts } = await makeBigRepository(directory);
  const tree = join(directory, 'tree');
  const stored = join(directory, 'server');
  const all = allRows(places, writeFileLists(tree, places.smallFiles, own));
  const unknown = options.only.find((id) => !all.some((row) => row.id === id));
  if (unknown) throw new Error(`no row ${unknown}; there are ${all.map(({ id }) => id).join(', ')}`);
  const rows = all.filter(({ id }) => options.only.length === 0 || options.only.includes(id));

  execFileSync(process.execPath, [join(PACKAGE, 'scripts/build.ts')], { stdio: ['ignore', 'inherit', 'inherit'] });
  const server = await startWebServer(stored, directoryIn(own, 'nginx', user), user);
  try {
    const source: Source = { fqrn: BIG_FQRN, url: server.url, keysDirectory: join(directory, 'client-keys') };
    const reference = referenceClient(directoryIn(own, 'reference', user), PACKAGE, source);
    const others = [reference, squashfuse(directoryIn(own, 'squashfuse', user), directory)];
    const contestants = [disk(tree), cvmfsexec(PACKAGE, source), ...others.filter((other) => other !== undefined)];
    const caches = new Caches(directoryIn(own, 'caches', user), user);
    const coldDisk = process.getuid!() === 0 && !options.keepPageCache;
    const before = loadAverage();
    const { rounds, quiet } = options;
    const { figures, failures } = await measureAll({
      ...{ rows, contestants, rounds, quiet, coldDisk, caches, say },
      jobOptions: { user, timeoutSeconds: 180 },
    });
    const entries = counts.files + counts.directories + counts.symlinks;
    console.log(`${entries} entries, ${counts.nestedCatalogs} nested catalogs; as user ${user.name}; ${machine()}
Load average before: ${before}; after: ${loadAverage()}. Rounds: ${rounds}. Figures are cold / hot.
Cold is an empty cache, hot a full one; both in a fresh mount, right after the same work was done from another empty
cache or filled this one: the web server's files and the cache's are in memory unless the machine took them out. On
disk, ${coldDisk ? 'cold is after the page cache was dropped' : 'cold is not measured (that takes root)'}, hot is the second time.
squashfuse is a file system in C over one uncompressed image in memory, in a fresh mount. "Command alone" is the command's
own processor time, kernel included, without the server's: what one process needs at least, however fast the server is.
`);
    console.log(table(rows, contestants, figures));
    if (failures.length > 0) throw new Error(`not measured:\n${failures.join('\n')}`);
  } finally {
    await server.stop();
  }
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}, Node ${process.version}`;
}

function directoryIn(own: string, name: string, user: OrdinaryUser): string {
  const directory = join(own, name);
  mkdirSync(directory);
  giveTo(user, directory);
  return directory;
}

function giveTo(user: OrdinaryUser, path: string): void {
  if (user.change) chownSync(path, user.uid, user.gid);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
