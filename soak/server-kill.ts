// `kill -9` of the server again and again, under a job that must not notice more than a pause.
import { setTimeout as sleep } from 'node:timers/promises';
import { TestServer } from '../test/support/http-server.ts';
import { type Identity, Installation, ordinaryUser } from '../test/support/run-cvmfsexec.ts';
import { figures, makeReadable, readerResult, servedTogether, startReading } from './reading-job.ts';
import { Servers } from './servers.ts';
import { Chance, type Soak, type SoakOptions } from './soak.ts';

/** Seconds that one kill takes on an idle machine, roughly: 100 of them in the long form. */
const SECONDS_A_KILL = 3;

export const serverKill: Soak = {
  summary: 'kill -9 of the server under a job that reads: no error',
  seconds: 100 * SECONDS_A_KILL,
  run: (options) => killServers(options, Math.ceil(options.seconds / SECONDS_A_KILL)),
};

export async function killServers(
  { seed, say }: Pick<SoakOptions, 'seed' | 'say'>,
  kills: number,
  as: Identity = ordinaryUser,
): Promise<string> {
  const chance = new Chance(seed);
  const place = new Installation();
  const repositories = [await makeReadable('one.example.org', seed), await makeReadable('two.example.org', seed + 1)];
  const source = await TestServer.start({ root: servedTogether(place, repositories) });
  try {
    const servers = new Servers(place.directory);
    const job = startReading(place, {
      repositories,
      servers: [source.url],
      workers: 3,
      seed,
      tolerant: false,
      more: { as, limit: 60 + kills * 60 },
    });
    let ended = false;
    const end = job.finally(() => {
      ended = true;
    });
    let killed = 0;
    for (let round = 1; killed < kills && !ended; round++) {
      let pid = await Promise.race([servers.serving(), end.then(() => 0)]);
      if (ended || pid === 0) break;
      await sleep(chance.below(500));
      // Where the job has ended in between, its own result says why.
      if (!killed9(pid)) break;
      killed++;
      // One in three of those that follow is killed as well, somewhere in its start.
      if (chance.below(3) === 0) {
        pid = await servers.next(pid);
        await sleep(chance.below(300));
        if (!killed9(pid)) break;
        killed++;
      }
      if (round % 10 === 0) say(`${killed} kills`);
    }
    if (!ended) await servers.serving();
    job.stdin?.end();
    const { exitCode, stdout, stderr } = await end;
    const result = readerResult(String(stdout), String(stderr));
    if (exitCode !== 0 || result.wrong.length > 0) {
      throw new Error(`exit status ${exitCode}; ${result.wrong.join('; ')}\n${stderr}`);
    }
    if (killed < kills)
      throw new Error(`only ${killed} of ${kills} kills: a server was gone without being killed\n${stderr}`);
    const restarts = String(stderr).split('a new one takes over\n').length - 1;
    if (restarts !== killed) throw new Error(`${killed} kills, but ${restarts} new servers: ${stderr}`);
    return `${killed} kills, ${figures(result)}`;
  } finally {
    await source.close();
    await place.close();
    for (const repository of repositories) repository.remove();
  }
}

/** False: there is no such process any more. */
function killed9(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
