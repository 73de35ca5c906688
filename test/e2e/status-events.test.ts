// --status-fd: every line is valid by the schema in docs/status-events.md, and says what happened.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isValid, type Schema } from '../support/json-schema.ts';
import { identities, type Launch } from '../support/run-cvmfsexec.ts';
import { prepareSiteOfSeveral } from '../support/site.ts';

const [ONE, TWO] = ['one.example.org', 'two.example.org'];
const documentation = readFileSync(join(import.meta.dirname, '../../docs/status-events.md'), 'utf8');
const schema = JSON.parse(/```json\n(.*?)```/s.exec(documentation)![1]) as Schema;

const site = prepareSiteOfSeveral(test, [ONE, TWO], (tree, fqrn) => writeFileSync(join(tree, 'name'), `${fqrn}\n`));
const { place } = site;
let files = 0;

// biome-ignore lint/suspicious/noExplicitAny: whatever the line holds
type Line = Record<string, any>;

async function run(t: ExecutionContext, script: string, more: Partial<Launch> = {}, fd = 5, further = '') {
  const file = join(place.scratch, `events-${files++}`);
  const outcome = await place.run({
    repositories: [ONE],
    options: ['--status-fd', String(fd)],
    wrapper: ['sh', '-c', `exec "$@" ${fd}>${file} ${further}`, 'sh'],
    command: ['sh', '-c', script],
    ...more,
    parameters: {
      SERVER_URL: `file://${site.repositories.serverRoot}/@fqrn@`,
      KEYS_DIR: site.repositories.clientKeys,
      ...more.parameters,
    },
  });
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const events = lines.map((line) => JSON.parse(line) as Line);
  for (const event of events) {
    t.true(isValid(schema, event), JSON.stringify(event));
    t.true(Math.abs(event.time - Date.now() / 1000) < 60);
  }
  return { ...outcome, events, names: events.map(({ event }) => event).join(' ') };
}

for (const as of identities) {
  for (const fd of [3, 9]) {
    test.serial(`a job tells its whole life on descriptor ${fd} (${as.name})`, async (t) => {
      const script = `$CVMFSMOUNT ${TWO}; $CVMFSUMOUNT ${TWO}; [ ! -h /proc/$$/fd/${fd} ] && echo without; exit 3`;
      const { events, names, stdout, exitCode } = await run(t, script, { as }, fd);
      t.is(names, 'namespaces mounted started mounted unmounted exit');
      t.is(exitCode, 3);
      t.is(stdout, 'without\n', 'the command does not inherit it');
      const [, mounted, started, second, , exit] = events;
      const { event, time, root_hash: hash, ...facts } = mounted;
      t.deepEqual(facts, { repository: ONE, revision: 1, mountpoint: `/cvmfs/${ONE}` });
      t.regex(hash, /^[0-9a-f]{40}/);
      t.true(started.pid > 1);
      t.is(second.repository, TWO);
      t.is(exit.status, 3);
    });
  }
}

test.serial('the pid is that of the command, as the caller sees it', async (t) => {
  const running = run(t, 'echo $$; sleep 2; kill -TERM $$');
  const file = join(place.scratch, `events-${files - 1}`);
  let pid: number | undefined;
  for (let i = 0; i < 200 && pid === undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    pid = /"started".*"pid":(\d+)/.exec(readFileSync(file, { encoding: 'utf8', flag: 'a+' }))?.[1] as
      | number
      | undefined;
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.true(readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('sleep 2; kill'));
  const { events, names } = await running;
  t.is(names, 'namespaces mounted started exit');
  t.is(events.at(-1)?.signal, 15);
});

test.serial('failures of ours are told with their reason', async (t) => {
  const none = await run(t, 'true', { repositories: ['nosuch.example.org'] });
  t.is(none.exitCode, 125);
  t.regex(none.names, /^(namespaces )?error exit$/);
  t.regex(none.events.at(-2)?.reason, /nosuch\.example\.org/);
  t.is(none.events.at(-1)?.status, 125);
  const command = await run(t, 'true', { command: ['/no/such'] });
  t.is(command.names, 'namespaces mounted started exit');
  t.is(command.events.at(-1)?.status, 127);
});

test.serial('a descriptor that is closed, cannot be written to, or is none ends the launch with 125', async (t) => {
  const closed = await run(t, 'echo run', { options: ['--status-fd', '7'] });
  t.is(closed.stderr, 'cvmfsexec: --status-fd 7: this descriptor is not open\n');
  const reading = await run(t, 'echo run', { options: ['--status-fd=6'] }, 5, '6</dev/null');
  t.is(reading.stderr, 'cvmfsexec: --status-fd 6: this descriptor is not open for writing\n');
  const word = await run(t, 'echo run', { options: ['--status-fd', 'x'] });
  t.regex(word.stderr, /^cvmfsexec: --status-fd 'x': expected the number [^\n]*\n$/);
  for (const { exitCode, stdout, events } of [closed, reading, word]) {
    t.is(exitCode, 125);
    t.is(stdout, '');
    t.deepEqual(events, []);
  }
});

test.serial('nobody who reads: the job goes on', async (t) => {
  const wrapper = ['bash', '-c', 'exec 5> >(exit); sleep 0.2; exec "$@"', 'bash'];
  const { exitCode, stdout, stderr } = await place.run({
    repositories: [ONE],
    options: ['--status-fd', '5'],
    wrapper,
    command: ['sh', '-c', 'echo run; exit 4'],
    parameters: { SERVER_URL: `file://${site.repositories.serverRoot}/@fqrn@`, KEYS_DIR: site.repositories.clientKeys },
  });
  t.is(stderr, '');
  t.is(stdout, 'run\n');
  t.is(exitCode, 4);
});
