// examples/slurm.sh on a Slurm cluster of this machine.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { user } from '../support/ordinary-user.ts';
import { GREETING, HELLO, Newcomer } from './newcomer.ts';
import { SlurmCluster } from './slurm-cluster.ts';

const missing = SlurmCluster.missing();
const newcomer = new Newcomer();
let cluster: SlurmCluster;

test.before(async (t) => {
  if (missing) t.log(`skipped, no Slurm: ${missing}`);
  else cluster = await SlurmCluster.start();
});
test.after.always(async () => {
  if (cluster) cluster.cancel('--user', user.name);
  await cluster?.close();
  await newcomer.close();
});
const onSlurm = missing ? test.skip : test.serial;

/** `sbatch WORDS` with the demo, in a directory of its own; gives the job's id. */
async function submit(directory: string, ...words: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await newcomer.demo(['sbatch', '--parsable', `--chdir=${directory}`, ...words], {
    env: { SLURM_CONF: cluster.configuration },
  });
  if (exitCode !== 0) throw new Error(`sbatch: ${stderr}${cluster.log}`);
  return stdout.trim();
}

const example = join(newcomer.examples, 'slurm.sh');

/** Processes of the user that have `word` in their command line. */
function processes(word: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word);
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean, seconds: number): Promise<boolean> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(100)) {
    if (condition()) return true;
  }
  return condition();
}

function read(...path: string[]): string {
  try {
    return readFileSync(join(...path), 'utf8');
  } catch {
    return '';
  }
}

onSlurm('a job runs as its owner, with the demo mounted and its exit status passed on', async (t) => {
  const directory = newcomer.directory('one');
  const script = `${HELLO}/latest/bin/hello; id -u; pwd; exit 7`;
  const id = await submit(directory, '--output=out', '--error=errors', example, 'sh', '-c', script);
  t.true(await until(() => cluster.job(id, 'JobState') === 'FAILED', 40), cluster.log);
  t.is(cluster.job(id, 'ExitCode'), '7:0');
  const [greeting, ...rest] = read(directory, 'out').split('\n');
  t.regex(`${greeting}\n`, GREETING);
  t.deepEqual(rest.slice(0, 2), [String(user.uid), directory]);
});

onSlurm('the jobs of an array share one cache, whichever was first', async (t) => {
  const directory = newcomer.directory('array');
  const id = await submit(directory, '--array=1-4', '--output=out-%a', '--mem=500M', example);
  const done = () => readdirSync(directory).filter((name) => GREETING.test(read(directory, name))).length;
  t.true(
    await until(() => done() === 4, 60),
    readdirSync(directory)
      .map((name) => read(directory, name))
      .join(),
  );
  t.true(await until(() => !/RUNNING|COMPLETING|PENDING/.test(cluster.job(id, 'JobState') ?? ''), 20));
  t.deepEqual(readdirSync(join(newcomer.home, '.cache/cvmfsexec-demo/cache')), ['shared']);
});

onSlurm('scancel: the command has time to save its state, and nothing is left after it', async (t) => {
  const directory = newcomer.directory('cancelled');
  const script = `trap 'cat /cvmfs/demo.example.org/README >saved; exit 0' TERM; echo up; while :; do sleep 0.1; done`;
  const id = await submit(directory, '--output=out', example, 'sh', '-c', script, 'cancelled-payload');
  t.true(await until(() => read(directory, 'out').includes('up'), 40), read(directory, 'out'));
  const start = performance.now();
  cluster.cancel(id);
  t.true(await until(() => processes('cancelled-payload').length === 0, 20));
  t.true(performance.now() - start < 10_000);
  t.regex(read(directory, 'saved'), /demo/);
  t.true(await until(() => cluster.job(id, 'JobState') === 'CANCELLED', 20), cluster.job(id, 'JobState'));
});

onSlurm(
  'a command that does not hear TERM is gone, with all its processes, when the grace period is over',
  async (t) => {
    const directory = newcomer.directory('deaf');
    const script = `trap '' TERM; setsid sh -c 'while :; do sleep 0.2; done' deaf-payload & echo up; wait`;
    const id = await submit(directory, '--output=out', example, 'sh', '-c', script, 'deaf-payload');
    t.true(await until(() => read(directory, 'out').includes('up'), 40), read(directory, 'out'));
    const start = performance.now();
    cluster.cancel(id);
    t.true(await until(() => processes('deaf-payload').length === 0, 20));
    t.true(performance.now() - start < 10_000);
  },
);

onSlurm('a job that takes more memory than it asked for is ended, and nothing is left of it', async (t) => {
  const directory = newcomer.directory('memory');
  const script = "import time; print('up', flush=True); b = bytearray(700 << 20); time.sleep(60)";
  const id = await submit(
    directory,
    '--mem=400M',
    '--output=out',
    example,
    'python3',
    '-c',
    `${script} # greedy-payload`,
  );
  t.true(await until(() => /exceeded memory limit/.test(read(directory, 'out')), 40), read(directory, 'out'));
  t.true(await until(() => processes('greedy-payload').length === 0, 10));
  t.true(await until(() => cluster.job(id, 'JobState') === 'FAILED', 20), cluster.job(id, 'JobState'));
});
