// Jobs in images and what is killed under them: half of many jobs at once (IMAGE_JOBS says how many), and the server.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Servers } from '../../soak/servers.ts';
import { ImageHub, writeBusyboxTree } from '../support/image-hub.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';

const JOBS = Number(process.env.IMAGE_JOBS ?? 8);
const FQRN = 'jobs.example.org';
const place = new Installation();
let repository: TestRepository;

test.before(async () => {
  const writeTree = (directory: string) => writeBusyboxTree(new ImageHub(directory).addFlat('library/tiny:1'));
  repository = await makeTestRepository({ fqrn: FQRN, xattrs: new Map(), writeTree });
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

/** Pids of processes with this in their environment. */
function processesWith(marker: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(marker);
    } catch {
      return false; // gone, or another user's
    }
  });
}

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await sleep(50);
  }
}

test.serial(
  `${JOBS} jobs at once, each with an overlay of its own; half of them are killed and nothing is left`,
  async (t) => {
    t.timeout(180_000);
    const meeting = join(place.scratch, 'meeting');
    mkdirSync(meeting);
    chmodSync(meeting, 0o777);
    const marker = `IMAGE_JOBS_IN=${place.directory}`;
    const cache = place.newPath();
    const code = `echo $JOB >/bin/mine; rm /etc/issue; : >${meeting}/$JOB
    until [ -e ${meeting}/go ]; do sleep 0.2; done; cat /bin/mine; ls /bin | wc -l; [ ! -e /etc/issue ] && echo gone`;
    const jobs = Array.from({ length: JOBS }, (_, i) =>
      place.start({
        repositories: [FQRN],
        parameters: {
          SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
          KEYS_DIR: repository.clientKeys,
          CACHE_BASE: cache,
        },
        options: ['--image', 'tiny:1'],
        command: ['sh', '-c', code],
        env: { IMAGE_JOBS_IN: place.directory, JOB: String(i) },
        limit: 120,
      }),
    );
    await eventually('all jobs run', () => readdirSync(meeting).length === JOBS);
    const killed = jobs.filter((_, i) => i % 2 === 0);
    for (const job of killed) job.kill('SIGKILL');
    await Promise.all(killed);
    await eventually('only the processes of the others are there', () => {
      const theirs = new Set(processesWith(marker).map((pid) => jobOf(pid)));
      return [...theirs].every((job) => job % 2 === 1);
    });
    writeFileSync(join(meeting, 'go'), '');
    const applets = readdirSync(join(repository.tree, '.flat', firstIn(repository.tree), 'bin')).length;
    for (const [i, job] of jobs.entries()) {
      const { exitCode, signal, stdout, stderr } = await job;
      if (i % 2 === 0) t.is(signal, 'SIGKILL');
      else t.deepEqual([stdout, stderr, exitCode], [`${i}\n${applets + 1}\ngone\n`, '', 0]);
    }
    await eventually('no process is left', () => processesWith(marker).length === 0);
    t.notRegex(readFileSync('/proc/self/mountinfo', 'utf8'), /jobs\.example\.org|cvmfsexec /);
    t.deepEqual(readdirSync(place.scratch).sort(), [cache.slice(cache.lastIndexOf('/') + 1), 'meeting']);
    t.false(existsSync(join(repository.tree, 'bin')));
  },
);

test.serial('the server is killed under a job in an image: the files are there again', async (t) => {
  const go = join(place.scratch, 'go');
  const killed = place.start({
    repositories: [FQRN],
    parameters: {
      SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      CACHE_BASE: place.newPath(),
    },
    options: ['--image', 'tiny:1'],
    command: ['sh', '-c', `until [ -e ${go} ]; do sleep 0.1; done; cat /etc/issue; wc -c </bin/busybox`],
  });
  const pid = await new Servers(place.directory).serving();
  process.kill(pid, 'SIGKILL');
  writeFileSync(go, '');
  const { stdout, exitCode } = await killed;
  const size = statSync(join(repository.tree, '.flat', firstIn(repository.tree), 'bin/busybox')).size;
  t.is(stdout, `a busybox image\n${size}\n`);
  t.is(exitCode, 0);
  rmSync(go);
});

function jobOf(pid: string): number {
  try {
    return Number(/(?:^|\0)JOB=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1]);
  } catch {
    return 1; // gone
  }
}

/** The one flat image. */
function firstIn(tree: string): string {
  const [group] = readdirSync(join(tree, '.flat')).filter((name) => name.length === 2);
  return join(group, readdirSync(join(tree, '.flat', group))[0]);
}
