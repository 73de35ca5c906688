// Overlays when something is killed: the job, its server, fuse-overlayfs, or all at once.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { JobShell } from '../support/job-shell.ts';
import { writeOverlayTree } from '../support/overlay-tree.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';

const place = new Installation();
let repository: TestRepository;
let mount = '';

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: 'overlay.example.org',
    writeTree: writeOverlayTree,
    xattrs: new Map(),
  });
  mount = `/cvmfs/${repository.fqrn}`;
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

function launch(engine: string, of = '') {
  return {
    repositories: [],
    parameters: { SERVER_URL: `file://${repository.serverRoot}/@fqrn@`, KEYS_DIR: repository.clientKeys },
    options: ['--overlay', `${repository.fqrn}${of}`, '--overlay-engine', engine],
  };
}

/** The launcher of a job and all its descendants whose command lines match. */
function processesOf(shell: JobShell, program: string): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const rows = table.map((row) => /^ *(\d+) +(\d+) (.*)$/.exec(row)).filter((row) => row !== null);
  const family = new Set([shell.pid]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const [, pid, parent] of rows) if (family.has(Number(parent))) family.add(Number(pid));
  }
  return rows
    .filter(([, pid, , args]) => family.has(Number(pid)) && new RegExp(program).test(args))
    .map(([, pid]) => Number(pid));
}

async function gone(pids: readonly number[]): Promise<number[]> {
  const running = () => pids.filter((pid) => existsSync(`/proc/${pid}/exe`) || existsSync(`/proc/${pid}/cwd`));
  for (let i = 0; i < 100 && pids.some((pid) => existsSync(`/proc/${pid}`)); i++) await sleep(50);
  return running();
}

for (const engine of ['kernel', 'fuse']) {
  test.serial(`${engine}: a killed server is followed by another, and the overlay lives on`, async (t) => {
    const shell = new JobShell(place, launch(engine));
    t.is(await shell.output(`cd ${mount}; echo new >text/new; cat text/line`), 'line', shell.stderr);
    const [server] = processesOf(shell, 'start.cjs server');
    process.kill(server, 'SIGKILL');
    t.is(
      await shell.output('cat tree/one text/new nested/inner/file; rm text/other; ls text | wc -l'),
      'tree/one\nnew\nnested\n5',
    );
    t.regex(shell.stderr, /a new one takes over/);
    await shell.end();
  });

  test.serial(
    `${engine}: a job that is killed half-way leaves nothing but an upper that can be used again`,
    async (t) => {
      const kept = place.newPath();
      const shell = new JobShell(place, launch(engine, `:${kept}`));
      const script = `cd ${mount}; (while :; do for i in many/*; do echo $$ >>$i; rm -r tree; mkdir tree; echo 1 >tree/one; done; done) 2>/dev/null &`;
      t.is((await shell.run(script)).status, 0);
      await sleep(700);
      const all = processesOf(shell, '.');
      t.true(all.length > 4, `${all.length} processes`);
      // All at once, as a batch system does it, in no order.
      for (const pid of all.sort(() => Math.random() - 0.5)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // ended with the others
        }
      }
      await shell.end().catch(() => {});
      t.deepEqual(await gone(all), []);
      t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(repository.fqrn));
      const again = new JobShell(place, launch(engine, `:${kept}`));
      const state = await again.output(
        `cd ${mount}; ls many | wc -l; ls text; cat tree/one 2>/dev/null | grep -cv '^1$'; echo x >many/0 && cat many/0`,
      );
      // fuse-overlayfs removes a directory first and marks it as deleted then: what is published may be there again.
      const published = engine === 'kernel' ? '0' : '[01]';
      t.regex(state, new RegExp(`^3000\\nline\\nlink\\nlinked\\nlinked-too\\nother\\n${published}\\nx$`), again.stderr);
      await again.end();
    },
  );
}

test.serial('signals that are sent to a whole job end no process of an overlay', async (t) => {
  const kept = place.newPath();
  const shell = new JobShell(place, launch('fuse', `:${kept}`));
  t.is(await shell.output(`cd ${mount}; echo new >text/new; cat text/line`), 'line', shell.stderr);
  const overlay = processesOf(shell, '/fuse-overlayfs -f');
  // It comes to be when the command has begun.
  for (let i = 0; i < 100 && processesOf(shell, 'sleep 2147483647').length === 0; i++) await sleep(50);
  const others = processesOf(shell, 'sleep 2147483647');
  const keepers = processesOf(shell, '.').filter((pid) => {
    const parent = /\) \w (\d+)/.exec(readFileSync(`/proc/${overlay[0]}/stat`, 'utf8'))?.[1];
    return pid === Number(parent);
  });
  t.deepEqual([overlay.length, others.length, keepers.length], [1, 1, 1]);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP'] as const) {
    for (const pid of [...overlay, ...others, ...keepers]) process.kill(pid, signal);
  }
  await sleep(300);
  t.is(await shell.output('cat text/new text/other'), 'new\nother', shell.stderr);
  // Not stopped, nor ended: each sleeps again once it has no work.
  const processes = [...overlay, ...others, ...keepers];
  const states = () => processes.map((pid) => /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  for (let i = 0; i < 100 && states().some((state) => state !== 'S'); i++) await sleep(50);
  t.deepEqual(states(), ['S', 'S', 'S']);
  await shell.end();
});

test.serial('changes stay locked when a process that holds the lock is killed, whichever that is', async (t) => {
  for (const nth of [0, 1]) {
    const kept = place.newPath();
    const shell = new JobShell(place, launch('kernel', `:${kept}`));
    t.is(await shell.output(`cat ${mount}/text/line`), 'line', shell.stderr);
    const lock = statSync(join(kept, 'lock'));
    const holders = () => processesOf(shell, '.').filter((pid) => holds(pid, lock));
    for (let i = 0; i < 100 && holders().length < 2; i++) await sleep(50);
    t.is(holders().length, 2);
    process.kill(holders()[nth], 'SIGKILL');
    const { exitCode, stderr } = await place.run({ ...launch('kernel', `:${kept}`), command: ['true'] });
    t.deepEqual([exitCode, /is in use by another job/.test(stderr)], [125, true], stderr);
    t.is(await shell.output(`echo new >${mount}/text/new; cat ${mount}/text/new`), 'new');
    await shell.end();
    t.is((await place.run({ ...launch('kernel', `:${kept}`), command: ['cat', `${mount}/text/new`] })).stdout, 'new\n');
  }
});

/** Whether the process has this file open. */
function holds(pid: number, { dev, ino }: Stats): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const file = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
      return file?.dev === dev && file.ino === ino;
    });
  } catch {
    return false; // gone
  }
}

test.serial('a killed fuse-overlayfs: the job goes on, gets errors, and one line says why', async (t) => {
  const shell = new JobShell(place, launch('fuse'));
  t.is(await shell.output(`cat ${mount}/text/line`), 'line', shell.stderr);
  const [overlay] = processesOf(shell, '/fuse-overlayfs -f');
  process.kill(overlay, 'SIGKILL');
  t.is(
    await shell.until(`cat ${mount}/text/other 2>&1 | sed 's/.*: //'`, 'Transport endpoint is not connected'),
    'Transport endpoint is not connected',
  );
  t.is(await shell.output('echo alive'), 'alive');
  await shell.end();
  t.is(
    shell.stderr.match(/^cvmfsexec: .*$/gm)?.join('\n'),
    `cvmfsexec: the overlay on ${mount} ended (fuse-overlayfs: status 137): what uses it gets errors`,
  );
});

test.serial(
  'changes without a directory are nowhere: not in /tmp, not in the cache, not in the next job',
  async (t) => {
    const before = new Set(readdirSync('/tmp'));
    const shell = new JobShell(place, launch('kernel'));
    await shell.output(`cd ${mount}; echo secret >text/new; ls -A /proc/fs /cvmfs`);
    t.is(await shell.output('grep -c " /proc/fs" /proc/self/mountinfo; ls /cvmfs'), `0\n${repository.fqrn}`);
    t.deepEqual(
      readdirSync('/tmp').filter((name) => !before.has(name) && name.includes('cvmfs')),
      [],
    );
    await shell.end();
    t.false(existsSync(join(repository.tree, 'text/new')));
  },
);
