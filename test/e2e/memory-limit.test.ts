// Jobs within a memory limit: what is said when the kernel's OOM killer takes the server. Needs a memory control group.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Servers } from '../../soak/servers.ts';
import { makeTestRepositories, type TestRepositories } from '../support/repositories.ts';
import { Installation } from '../support/run-cvmfsexec.ts';

const FQRN = 'limited.example.org';
const place = new Installation();
let repositories: TestRepositories;

/** A control group of our own, by whichever version the machine has. */
class MemoryGroup {
  readonly directory: string;
  /** A file with a line `oom_kill N`: how many processes the OOM killer has killed. */
  readonly events: string;

  constructor(parent: string, file: string, events: string, bytes: number) {
    this.directory = join(parent, `cvmfsexec-test-${process.pid}`);
    this.events = join(this.directory, events);
    mkdirSync(this.directory);
    writeFileSync(join(this.directory, file), String(bytes));
  }

  static make(bytes: number): MemoryGroup | string {
    try {
      if (existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')) {
        return new MemoryGroup('/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.oom_control', bytes);
      }
      if (!/\bmemory\b/.test(readFileSync('/sys/fs/cgroup/cgroup.subtree_control', 'utf8')))
        return 'no memory control groups';
      return new MemoryGroup('/sys/fs/cgroup', 'memory.max', 'memory.events', bytes);
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** When nobody is in it any more. */
  async remove(): Promise<void> {
    for (let i = 0; ; i++) {
      try {
        rmdirSync(this.directory);
        return;
      } catch (error) {
        if (i === 100) throw error;
      }
      await sleep(50);
    }
  }
}

test.before(async () => {
  repositories = await makeTestRepositories([FQRN], (tree) => writeFileSync(join(tree, 'name'), 'here\n'));
});

test.after.always(async () => {
  await place.close();
  repositories?.remove();
});

test('the OOM killer takes the server: it is said so, with the limit, and the job goes on', async (t) => {
  const group = MemoryGroup.make(200 * 1024 * 1024);
  if (typeof group === 'string') {
    t.log(`skipped: ${group}`);
    return t.pass();
  }
  t.teardown(() => group.remove());
  // Takes more and more, until somebody was killed for it: it must have ended when the next server wants its part. What the
  // server had may come back so late that the kernel kills it as well: of that the job's shell is not to say anything.
  const hog = `
import re
taken = []
while re.search(r'oom_kill (\\d+)', open('${group.events}').read())[1] == '0':
    taken.append(bytearray(b'x') * 1000000)`;
  const running = place.start({
    repositories: [FQRN],
    command: ['sh', '-c', `read line; { /usr/bin/python3 -c "$1"; } 2>/dev/null; cat /cvmfs/${FQRN}/name`, 'sh', hog],
    parameters: { SERVER_URL: `file://${repositories.serverRoot}/@fqrn@`, KEYS_DIR: repositories.clientKeys },
    // The group is entered before the ordinary user takes over.
    wrapper: ['sh', '-c', 'read line; exec "$@"', 'sh'],
  });
  writeFileSync(join(group.directory, 'cgroup.procs'), String(running.pid));
  running.stdin!.write('begin\n');
  const pid = await new Servers(place.directory).serving();
  writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  running.stdin!.end('on\n');
  const { stdout, stderr, exitCode } = await running;
  t.regex(
    String(stderr),
    /^cvmfsexec: the file system server ended \(signal 9: the memory limit of 200 MB was reached, and the kernel's OOM killer has killed \d+ of the processes in it\); a new one takes over\n/,
  );
  t.is(stdout, 'here\n');
  t.is(exitCode, 0);
});
