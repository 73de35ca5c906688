// Many launchers at once on one cache: all right, the quota kept, nothing left, fetches counted. Most read the same files in
// the same order, as the jobs of a node do, some in an order of their own.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestServer } from '../test/support/http-server.ts';
import { makeTestRepository, type TestRepository } from '../test/support/repository.ts';
import { Installation } from '../test/support/run-cvmfsexec.ts';
import { Chance, type Soak, type SoakOptions } from './soak.ts';

const FQRN = 'many.example.org';
const LAUNCHERS = 100;
/** Of all files together, MB. */
const MEGABYTES = 80;
/** One in so many reads in an order of its own. */
const ODD_ONE = 10;

export const manyLaunchers: Soak = {
  summary: `${LAUNCHERS} launchers on one cache: with a tenth of the room, and with enough; fetches counted`,
  seconds: 900,
  async run(options) {
    options.say(await launchMany(options, LAUNCHERS, MEGABYTES, MEGABYTES / 10));
    return await launchMany(options, LAUNCHERS, MEGABYTES, 2 * MEGABYTES);
  },
};

/** Each reads `megabytes` through a cache with a quota of `quota` MB. */
export async function launchMany(
  { seconds, seed, say }: SoakOptions,
  launchers: number,
  megabytes: number,
  quota: number,
): Promise<string> {
  const chance = new Chance(seed);
  const place = new Installation();
  const repository = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map(),
    writeTree: (tree) => writeFiles(tree, megabytes * 1e6, chance),
  });
  const server = await TestServer.start({ root: repository.serverRoot });
  const cache = place.newPath();
  try {
    const inOrder = sums(repository);
    const jobs = Array.from({ length: launchers }, (_, i) => {
      const list = join(place.directory, `list-${i}`);
      writeFileSync(list, (i % ODD_ONE === ODD_ONE - 1 ? shuffled(inOrder, chance) : inOrder).join(''));
      return place.start({
        repositories: [FQRN],
        command: ['sh', '-c', `cd /cvmfs/${FQRN} && sha256sum -c --quiet '${list}'`],
        parameters: {
          SERVER_URL: `${server.url}/@fqrn@`,
          KEYS_DIR: repository.clientKeys,
          CACHE_BASE: cache,
          QUOTA_LIMIT: String(quota),
          // The server has to share the machine with all of them.
          TIMEOUT_DIRECT: '120',
        },
        limit: seconds,
      });
    });
    const began = performance.now();
    const [outcomes, most] = await Promise.all([Promise.all(jobs), watchUsage(cache, jobs, say)]);
    const took = (performance.now() - began) / 1000;
    const bad = outcomes.find(({ exitCode, stderr }) => exitCode !== 0 || stderr !== '');
    if (bad) throw new Error(`a job ended with ${bad.exitCode} ${bad.signal ?? ''}: ${bad.stdout}${bad.stderr}`);
    const left = processesOf(place.directory);
    if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
    const fetches = server.paths(/\/data\//);
    const objects = new Set(fetches).size;
    const each = fetches.length / objects;
    const figures = `${launchers} launchers in ${took.toFixed(0)} s, at most ${(most / 1e6).toFixed(1)} of ${quota} MB; ${objects} objects were fetched ${each.toFixed(2)} times each`;
    if (most > quota * 1e6 * 1.1) throw new Error(`the quota was not kept: ${figures}`);
    if (each > mostFetches(launchers, megabytes, quota)) throw new Error(`too many fetches: ${figures}`);
    return figures;
  } finally {
    await server.close();
    await place.close();
    repository.remove();
  }
}

/**
 * Of an object. Where all fits, next to nothing is fetched twice. Where a tenth fits, who reads in an order of its own
 * fetches nearly all for itself, and the others again what was evicted between two of them.
 */
function mostFetches(launchers: number, megabytes: number, quota: number): number {
  if (quota > megabytes) return 1.1;
  const odd = Math.floor(launchers / ODD_ONE);
  return odd + (launchers - odd) / 2;
}

function writeFiles(tree: string, bytes: number, chance: Chance): void {
  let left = bytes;
  for (let i = 0; left > 0; i++) {
    const size = Math.min(left, chance.of([2_000, 20_000, 60_000, 250_000]));
    writeFileSync(join(tree, `file-${i}`), createHash('shake256', { outputLength: size }).update(`${i}`).digest());
    left -= size;
  }
}

/** Lines for sha256sum(1). */
function sums({ tree }: TestRepository): string[] {
  return readdirSync(tree).map((name) => {
    const sum = createHash('sha256')
      .update(readFileSync(join(tree, name)))
      .digest('hex');
    return `${sum}  ${name}\n`;
  });
}

function shuffled(lines: readonly string[], chance: Chance): string[] {
  const keyed = lines.map((line) => ({ line, key: chance.below(1e9) }));
  return keyed.sort((a, b) => a.key - b.key).map(({ line }) => line);
}

/** Looks at the cache until all jobs are over; the most bytes that objects and temporary files had. */
async function watchUsage(cache: string, jobs: readonly Promise<unknown>[], say: SoakOptions['say']): Promise<number> {
  let [most, ended, told] = [0, 0, performance.now()];
  for (const job of jobs) void job.finally(() => ended++);
  while (ended < jobs.length) {
    most = Math.max(most, diskUsage(join(cache, 'shared')));
    if (performance.now() - told > 20_000) {
      say(`${ended} of ${jobs.length} jobs are over`);
      told = performance.now();
    }
    await sleep(50);
  }
  return most;
}

function diskUsage(cache: string): number {
  let bytes = 0;
  for (const directory of existsSync(cache) ? readdirSync(cache) : []) {
    if (!/^([0-9a-f]{2}|txn)$/.test(directory)) continue;
    for (const name of readdirSync(join(cache, directory))) {
      const size = lstatSync(join(cache, directory, name), { throwIfNoEntry: false })?.size ?? 0;
      bytes += Math.ceil(size / 4096) * 4096;
    }
  }
  return bytes;
}

function processesOf(directory: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(directory);
    } catch {
      return false;
    }
  });
}
