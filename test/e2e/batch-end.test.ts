// How long a job lasts from the batch system's TERM, and from its KILL.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Servers } from '../../soak/servers.ts';
import type { Launch } from '../support/run-cvmfsexec.ts';
import { prepareSiteOfSeveral } from '../support/site.ts';

const FQRN = 'ending.example.org';
const site = prepareSiteOfSeveral(test, [FQRN], (tree) => writeFileSync(join(tree, 'large'), 'x'.repeat(100_000)));
const { place } = site;
const servers = new Servers(place.directory);

async function started(script: string) {
  const launch: Launch = {
    repositories: [FQRN],
    command: ['sh', '-c', script],
    parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repositories.clientKeys },
  };
  const job = place.start(launch);
  await new Promise<void>((resolve) => job.stdout!.once('data', () => resolve()));
  return { job, server: await servers.next() };
}

/** Processes of the job are gone, and what its server served with them. */
async function untilGone(since: number): Promise<number> {
  while (servers.running.length > 0 && performance.now() - since < 30_000) await sleep(10);
  return performance.now() - since;
}

test.serial(
  'TERM ends the job within ten seconds, also while nothing answers: a stopped server, a read that waits',
  async (t) => {
    const { job, server } = await started('echo up; exec sleep 100');
    process.kill(server, 'SIGSTOP');
    let since = performance.now();
    job.kill('SIGTERM');
    t.is((await job).signal, 'SIGTERM');
    t.true((await untilGone(since)) < 10_000);

    const reading = await started(`echo up; read line; exec cat /cvmfs/${FQRN}/large`);
    site.server.fault(/\/data\//, { hang: true });
    t.teardown(() => site.server.clearFaults());
    reading.job.stdin!.end('on\n');
    await sleep(300);
    since = performance.now();
    reading.job.kill('SIGTERM');
    t.is((await reading.job).signal, 'SIGTERM');
    t.true((await untilGone(since)) < 10_000);
  },
);

test.serial('a command that ignores TERM goes on until KILL, and then all is gone at once', async (t) => {
  const { job } = await started(`trap '' TERM; echo up; while :; do sleep 1; done`);
  job.kill('SIGTERM');
  await sleep(500);
  t.is(servers.running.length, 1);
  const since = performance.now();
  job.kill('SIGKILL');
  t.is((await job).signal, 'SIGKILL');
  t.true((await untilGone(since)) < 2000);
});
