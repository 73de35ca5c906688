// A server that stalls in the middle of a job, and whoever has had enough of waiting.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { prepareSite } from '../support/site.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'stalling.example.org';
/** Nothing ends by itself within these tests. */
const PARAMETERS = { TIMEOUT_DIRECT: '100', TIMEOUT: '100', MAX_RETRIES: '0' };
const SOON_MS = 3000;

const site = prepareSite(test, {
  fqrn: FQRN,
  writeTree(directory) {
    writeFileSync(join(directory, 'one'), 'one\n');
    writeFileSync(join(directory, 'large'), pseudoRandom(2_000_000, 1));
  },
});
const { place } = site;

test.afterEach.always(() => site.server?.clearFaults());

function start(script: string, wrapper: readonly string[] = []) {
  const job = place.start({
    repositories: [FQRN],
    parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repository.clientKeys, ...PARAMETERS },
    command: ['bash', '-c', `cd /cvmfs/${FQRN} && cat one && ${script}`],
    wrapper,
  });
  // From then on nothing comes any more, in the middle of files.
  job.stdout?.once('data', () => {
    site.server.fault(/\/data\//, { hang: 1000 });
    job.stdin?.end('hanging\n');
  });
  return job;
}

/** Resolves when something waits for the server that has stalled. */
async function hanging(t: ExecutionContext): Promise<void> {
  const before = site.server.requests.length;
  for (let i = 0; i < 400; i++) {
    if (site.server.requests.slice(before).some(({ path }) => path.includes('/data/'))) {
      await sleep(300);
      return;
    }
    await sleep(25);
  }
  t.fail('nobody asked for anything');
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(place.directory);
    } catch {
      return false;
    }
  });
}

async function nothingIsLeft(t: ExecutionContext): Promise<void> {
  for (const end = performance.now() + SOON_MS; processes().length > 0 && performance.now() < end; ) await sleep(50);
  t.deepEqual(processes(), []);
}

for (const signal of ['INT', 'TERM', 'KILL']) {
  test.serial(`a reader that waits for a server which has stalled ends at once by ${signal}`, async (t) => {
    const script = `read line; for reader in 'cat large' 'head -c 1900000 large' 'md5sum large'; do
      begin=\${EPOCHREALTIME/./}; timeout -s ${signal} 1 $reader >/dev/null; echo "$? $(( (\${EPOCHREALTIME/./} - begin) / 1000 ))"; done`;
    const { stdout, stderr, exitCode } = await start(script);
    t.is(exitCode, 0, String(stderr));
    const [, ...lines] = String(stdout).trim().split('\n');
    t.is(lines.length, 3);
    for (const line of lines) {
      const [status, took] = line.split(' ').map(Number);
      t.is(status, signal === 'KILL' ? 137 : 124);
      t.true(took >= 1000 && took < 1000 + SOON_MS, `${took} ms`);
    }
  });
}

for (const { what, signal, group } of [
  { what: '^C at the terminal', signal: 'SIGINT', group: true },
  { what: 'TERM to the launcher, as batch systems do', signal: 'SIGTERM', group: false },
  { what: 'kill -9 of the launcher', signal: 'SIGKILL', group: false },
] as const) {
  test.serial(`${what}, while readers wait for a server that has stalled: the job is over soon`, async (t) => {
    const job = start('read line; cat large & md5sum large & cat large', ['setsid']);
    job.stdout?.resume();
    await new Promise((resolve) => job.stdout?.once('data', resolve));
    await hanging(t);
    const began = performance.now();
    process.kill(group ? -(job.pid as number) : (job.pid as number), signal);
    const { signal: ended } = await job;
    t.is(ended, signal);
    t.true(performance.now() - began < SOON_MS, `${performance.now() - began} ms`);
    await nothingIsLeft(t);
  });
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
