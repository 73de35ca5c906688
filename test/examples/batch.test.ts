// The examples for HTCondor, pilots and MPI, called as those who are to use them call them.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { writeBusyboxTree } from '../support/image-hub.ts';

import { GREETING, HELLO, Newcomer } from './newcomer.ts';

const newcomer = new Newcomer();
test.after.always(() => newcomer.close());

const example = (name: string) => join(newcomer.examples, name);

/** Calls the job wrapper as HTCondor's starter does; `ad` is the job's ClassAd. */
async function wrapped(ad: string, command: readonly string[], env: Record<string, string> = {}) {
  const scratch = newcomer.directory(`condor-${ad.length}-${command.length}-${Object.keys(env).length}`);
  writeFileSync(join(scratch, '.job.ad'), ad);
  const errorFile = join(scratch, '.job_wrapper_failure');
  const outcome = await newcomer.demo(
    ['sh', '-c', 'cd "$1"; shift; exec "$@"', 'sh', scratch, example('htcondor-wrapper.sh'), ...command],
    {
      env: {
        _CONDOR_SCRATCH_DIR: scratch,
        _CONDOR_JOB_AD: join(scratch, '.job.ad'),
        _CONDOR_WRAPPER_ERROR_FILE: errorFile,
        ...env,
      },
    },
  );
  return { ...outcome, failure: existsSync(errorFile) ? readFileSync(errorFile, 'utf8') : undefined };
}

const AD = 'MyType = "Job"\nOwner = "somebody"\nCVMFSRepositories = "demo.example.org"\nRequestMemory = 1024\n';

test.serial('HTCondor: a job that asks for repositories has them, and its status is its own', async (t) => {
  const { exitCode, stdout, failure } = await wrapped(AD, ['sh', '-c', `${HELLO}/latest/bin/hello; exit 9`]);
  t.is(exitCode, 9);
  t.regex(stdout, GREETING);
  t.is(failure, undefined);
});

test.serial('HTCondor: a job that asks for none runs as without a wrapper', async (t) => {
  const { exitCode, stdout } = await wrapped('MyType = "Job"\n', [
    'sh',
    '-c',
    'ls -d /cvmfs/demo.example.org; echo "$1"',
    'sh',
    'a  b',
  ]);
  t.is(stdout, 'a  b\n');
  t.is(exitCode, 0);
});

test.serial('HTCondor: what cannot be mounted is the node’s failure, not the job’s', async (t) => {
  const ad = AD.replace('demo', 'nowhere');
  const { exitCode, stdout, stderr, failure } = await wrapped(ad, ['echo', 'ran'], { CVMFS_MAX_RETRIES: '0' });
  t.is(stdout, '');
  t.is(exitCode, 125);
  t.is(stderr, failure ?? '');
  t.regex(failure ?? '', /^CernVM-FS cannot be mounted: .*nowhere\.example\.org/);
});

test.serial('HTCondor: a job’s word for repositories cannot be an option or a command', async (t) => {
  const option = await wrapped(AD.replace('demo.', '-d demo.'), ['echo', 'ran']);
  t.is(option.exitCode, 125);
  t.regex(option.failure ?? '', /has an option in it/);
  const command = await wrapped(AD.replace('demo.', '$(touch bad) demo.'), ['sh', '-c', 'ls; echo ran']);
  t.is(command.stdout, 'ran\n');
});

test.serial('pilot: as it stands', async (t) => {
  const { exitCode, stdout } = await newcomer.demo([example('pilot.sh')]);
  t.is(exitCode, 0);
  t.regex(stdout, /^Hello.*\nhello 0\nGreetings to .*\nhello 0\n$/);
});

/** A payload; gives its path. */
function payload(name: string, script: string): string {
  const path = join(newcomer.place.scratch, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test.serial('pilot: payloads in turn, each in an empty directory, none sees what another left', async (t) => {
  const temporary = newcomer.directory('pilot-tmp');
  const leaves = payload('leaves', 'ls -A; mkdir -p d; touch d/f; chmod 500 d; setsid sleep 997 & exit 3');
  const looks = payload('looks', 'ls -A; ps -eo args | grep -c "^sleep 997"; test -e /cvmfs/demo.example.org/README');
  const { exitCode, stdout } = await newcomer.demo([example('pilot.sh'), leaves, looks], {
    env: { TMPDIR: temporary },
  });
  t.is(stdout, 'leaves 3\n0\nlooks 0\n');
  t.is(exitCode, 3);
  t.deepEqual(readdirSync(temporary), []);
});

test.serial('pilot: no payload is lost on a node that cannot mount', async (t) => {
  const env = { REPOSITORIES: 'demo.example.org nowhere.example.org', CVMFS_MAX_RETRIES: '0' };
  const { exitCode, stdout, stderr } = await newcomer.demo([example('pilot.sh'), payload('lost', 'echo ran')], { env });
  t.is(exitCode, 125);
  t.is(stdout, '');
  t.regex(stderr, /nowhere\.example\.org/);
});

test.serial('pilot: TERM reaches the payload, whose status counts, and is the pilot’s end', async (t) => {
  const slow = payload(
    'slow',
    "trap 'echo saved; exit 4' TERM; echo $PPID >up; cp up ../../up; while :; do sleep 0.1; done",
  );
  const temporary = newcomer.directory('pilot-term');
  const running = newcomer.demo(['sh', '-c', 'echo $$ >pilot-pid; exec "$@"', 'sh', example('pilot.sh'), slow, slow], {
    env: { TMPDIR: temporary },
  });
  while (!existsSync(join(temporary, 'up'))) await sleep(50);
  process.kill(Number(readFileSync(join(newcomer.place.scratch, 'pilot-pid'), 'utf8')), 'SIGTERM');
  const { exitCode, stdout } = await running;
  t.is(stdout, 'saved\nslow 4\n');
  t.is(exitCode, 143);
  t.deepEqual(readdirSync(temporary), ['up']);
});

const withMpi = spawnSync('mpirun', ['--version']).status === 0 ? test.serial : test.skip;
const ring = ['python3', join(newcomer.place.directory, 'ring.py'), '/cvmfs/demo.example.org/README'];
writeFileSync(ring[1], readFileSync(join(import.meta.dirname, 'ring.py')));
/** Who may not read the machine's network must not be asked by Open MPI. */
const MPI = {
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  OMPI_MCA_btl_tcp_if_include: 'lo',
  OMPI_MCA_oob_tcp_if_include: 'lo',
};

/** What the ranks printed, in their order, without the last field: their mount namespace; and those. */
function ranks(stdout: string): { lines: string[]; namespaces: number } {
  const rows = stdout.trim().split('\n').sort();
  return {
    lines: rows.map((row) => row.replace(/ \S+$/, '')),
    namespaces: new Set(rows.map((row) => row.replace(/.* /, ''))).size,
  };
}
const TWO = ['0 2 True', '1 2 True'];

withMpi('MPI: the ranks of a node are in one job', async (t) => {
  const { exitCode, stdout, stderr } = await newcomer.demo([example('mpi.sh'), '-n', '2', ...ring], { env: MPI });
  t.is(exitCode, 0, stderr);
  t.deepEqual(ranks(stdout), { lines: TWO, namespaces: 1 });
});

withMpi('MPI: on each further node the daemon runs in a launch of its own', async (t) => {
  // Stands in for ssh to another node, which has the same files and knows nothing of the job that mpirun is in.
  const launches = join(newcomer.place.scratch, 'launches');
  const agent = payload(
    'to-other-node',
    `echo "$*" >>${launches}; TMPDIR=${newcomer.place.scratch}/$1; mkdir "$TMPDIR"; export TMPDIR; shift; unset CVMFSEXEC_CMDPIPE CVMFSEXEC_CMDFD CVMFSMOUNT CVMFSUMOUNT; exec sh -c "$*"`,
  );
  const env = { ...MPI, OMPI_MCA_plm_rsh_agent: agent };
  const { exitCode, stdout, stderr } = await newcomer.demo(
    [example('mpi.sh'), '--host', 'node-a:1,node-b:1', '-n', '2', ...ring],
    { env },
  );
  t.is(exitCode, 0, stderr);
  t.deepEqual(ranks(stdout), { lines: TWO, namespaces: 2 });
  const started = readFileSync(launches, 'utf8').trim().split('\n').sort();
  t.deepEqual(
    started.map((line) => /^(\S+) (?:.* )?\S*\/cvmfsexec demo\.example\.org -- orted /.exec(line)?.[1]),
    ['node-a', 'node-b'],
  );
});

withMpi('MPI: with --host-pids the ranks may have a launch each, and share memory', async (t) => {
  // No other way between ranks than shared memory.
  const env = { ...MPI, OMPI_MCA_btl: 'vader,self', OMPI_MCA_btl_vader_single_copy_mechanism: 'none' };
  const words = ['mpirun', '-n', '2', 'cvmfsexec', '--host-pids', 'demo.example.org', '--', ...ring];
  const { exitCode, stdout, stderr } = await newcomer.demo(words, { env });
  t.is(exitCode, 0, stderr);
  t.deepEqual(ranks(stdout), { lines: TWO, namespaces: 2 });
});

test.serial(
  'image: a command of the repository, and one of the image, with nothing of the host to run them',
  async (t) => {
    const image = newcomer.directory('image');
    writeBusyboxTree(image);
    const hello = await newcomer.demo([example('image.sh'), image]);
    t.regex(hello.stdout, GREETING, hello.stderr);
    const { stdout, exitCode } = await newcomer.demo([
      example('image.sh'),
      image,
      'sh',
      '-c',
      'cat /etc/issue; ls /cvmfs; exit 5',
    ]);
    t.is(stdout, 'a busybox image\ndemo.example.org\n');
    t.is(exitCode, 5);
  },
);
