// All that can go wrong around a job, at once and by chance: servers that answer with errors, cut, stall, dribble and
// change bytes, a full disk under the cache, `kill -9` of the server. While it lasts EIO is allowed, a wrong byte never;
// when it is over everything must be right again.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, TestServer } from '../test/support/http-server.ts';
import { Installation } from '../test/support/run-cvmfsexec.ts';
import { figures, makeReadable, readerResult, servedTogether, startReading } from './reading-job.ts';
import { Servers } from './servers.ts';
import { Chance, type Soak, type SoakOptions } from './soak.ts';

/** Less than a third of the repository, so that the cache never holds all and the network is always needed. */
const DISK = '2m';
const BALLAST_BYTES = 2 << 20;
/** Nothing that a program does may take longer, in seconds: time-outs and retries of two servers, and a new server. */
const LONGEST = 90;

const PARAMETERS = { TIMEOUT: '2', TIMEOUT_DIRECT: '2', MAX_RETRIES: '2', BACKOFF_INIT: '1', BACKOFF_MAX: '2' };

export const faultStorm: Soak = {
  summary: 'random faults of servers, disk and the server process: every byte right, all recovers',
  seconds: 600,
  run: storm,
};

async function storm({ seconds, seed, say }: SoakOptions): Promise<string> {
  const chance = new Chance(seed);
  const place = new Installation();
  const repository = await makeReadable('storm.example.org', seed);
  const root = servedTogether(place, [repository]);
  const sources = [await TestServer.start({ root }), await TestServer.start({ root })];
  const disk = place.newPath();
  const onSmallDisk = `mkdir "$0"; mount -t tmpfs -o size=${DISK},mode=0700 tmpfs "$0" && exec "$@"`;
  try {
    const job = startReading(place, {
      repositories: [repository],
      servers: sources.map(({ url }) => url),
      workers: 4,
      seed,
      tolerant: true,
      parameters: { ...PARAMETERS, CACHE_BASE: disk },
      ballast: [disk, BALLAST_BYTES],
      more: { wrapper: ['unshare', '-rm', 'sh', '-c', onSmallDisk, disk], limit: seconds + 300 },
    });
    let over = false;
    const end = job.finally(() => {
      over = true;
    });
    const servers = new Servers(place.directory);
    await Promise.race([servers.serving(), end]);
    const deadline = performance.now() + seconds * 1000;
    const isOver = () => over || performance.now() > deadline;
    const [faults, kills] = await Promise.all([
      disturb(sources, new Chance(chance.below(1e9)), isOver, say),
      kill(servers, new Chance(chance.below(1e9)), isOver),
    ]);
    for (const source of sources) source.clearFaults();
    say('the storm is over');
    job.stdin?.end();
    const { exitCode, stdout, stderr } = await end;
    const result = readerResult(String(stdout), String(stderr));
    const { wrong, longest } = result;
    if (exitCode !== 0 || wrong.length > 0) throw new Error(`exit status ${exitCode}; ${wrong.join('; ')}\n${stderr}`);
    if (longest > LONGEST) throw new Error(`something took ${longest} s\n${stderr}`);
    // Every error that a program saw has its reason there.
    if (result.tolerated > 0 && !/cannot|storm\.example\.org: /.test(String(stderr))) {
      throw new Error(`${result.tolerated} errors without a reason`);
    }
    return `${faults} faults, ${kills} kills, ${figures(result)}`;
  } finally {
    await Promise.all(sources.map((source) => source.close()));
    await place.close();
    repository.remove();
  }
}

/** Gives the number of faults. */
async function disturb(
  sources: readonly TestServer[],
  chance: Chance,
  isOver: () => boolean,
  say: (line: string) => void,
): Promise<number> {
  let count = 0;
  let told = performance.now();
  while (!isOver()) {
    const source = chance.of(sources);
    if (chance.below(8) === 0) source.cut();
    else if (chance.below(12) === 0) for (const all of sources) all.fault(/./, { reset: true }, chance.between(1, 20));
    else source.fault(/./, randomFault(chance), chance.between(1, 8));
    count++;
    if (chance.below(5) === 0) for (const all of sources) all.clearFaults();
    if (performance.now() - told > 30_000) {
      say(`${count} faults`);
      told = performance.now();
    }
    await sleep(chance.between(50, 500));
  }
  return count;
}

function randomFault(chance: Chance): Fault {
  const faults: readonly (() => Fault)[] = [
    () => ({ status: chance.of([400, 403, 404, 500, 502, 503, 504]) }),
    () => ({ reset: chance.of<true | number>([true, 0, 10, 3000]) }),
    () => ({ truncate: chance.below(5000) }),
    () => ({ corrupt: chance.below(100_000) }),
    () => ({ hang: chance.of<true | number>([true, 0, 100, 4000]) }),
    () => ({ delay: chance.below(1500) }),
    () => ({ dribble: { bytes: chance.between(500, 5000), every: 20 } }),
    () => ({ body: Buffer.alloc(chance.below(3000), 'x') }),
    () => ({ framing: chance.of(['none', 'chunked'] as const) }),
  ];
  return chance.of(faults)();
}

/** Gives the number of kills. */
async function kill(servers: Servers, chance: Chance, isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    await sleep(chance.between(1000, 6000));
    if (isOver()) break;
    const [pid] = servers.running;
    process.kill(pid, 'SIGKILL');
    count++;
    await servers.serving();
  }
  return count;
}
