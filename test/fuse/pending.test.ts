import test from 'ava';
import { type Mount, mount } from './mount.ts';
import type { Outcome } from './protocol.ts';

/** Runs `program` in the background until it hangs, then `signals` with its process as $pid; prints how it ended. */
function signalled(mounted: Mount, program: string, signals: string): Promise<Outcome> {
  return mounted.run(`${program} & pid=$!; sleep 0.5; ${signals}; wait $pid; echo "status $?"`);
}

test.serial('requests wait for what is not local, others go on, and all are answered', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.run('ls "$MP" "$MP/many/name-1"');
  await mounted.server('hold', 'slow');
  const waiting = Array.from({ length: 5 }, () => mounted.run('cat "$MP/slow"'));
  const node = await mounted.server('nodeOf', 'large');
  await mounted.server('hold', node);
  waiting.push(mounted.run('head -c 8 "$MP/large" | wc -c'));
  await mounted.run('cat "$MP/many/name-1"');
  const started = await mounted.run('cat "$MP/many/name-1"');
  t.is(started.stdout, '1');
  await mounted.server('release', 'slow');
  await mounted.server('release', node);
  for (const { stdout } of await Promise.all(waiting)) t.regex(stdout, /^(at last|8)\n$/);
  await mounted.untilPending(0);
});

test.serial('a rejection is EIO, and told with its reason', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const node = await mounted.server('nodeOf', 'slow');
  await mounted.server('hold', node);
  const reading = mounted.run('cat "$MP/slow"');
  await mounted.untilPending(1);
  await mounted.server('reject', node, 'all servers are down');
  t.regex((await reading).stderr, /Input\/output error/);
  t.regex(
    ((await mounted.server('accidents')) as string[])[0],
    /^READ #\d+ node \d+ offset 0 size \d+ .*: all servers are down$/,
  );
});

for (const settings of [{}, { readOnly: false }]) {
  const title = settings.readOnly === false ? 'foreign' : 'own';

  test.serial(`a caller that is killed while its file is not local goes at once (${title} mount)`, async (t) => {
    const mounted = await mount(t, settings);
    if (mounted === undefined) return;
    const node = await mounted.server('nodeOf', 'doomed');
    await mounted.server('hold', 'slow');
    await mounted.server('hold', node);
    const elsewhere = await signalled(mounted, 'sleep 100', 'kill -KILL $pid');
    for (const name of ['slow', 'doomed']) {
      for (const [signal, status] of [
        ['KILL', 137],
        ['TERM', 143],
        ['INT', 130],
      ] as const) {
        // A shell starts what is in the background with SIGINT ignored.
        const { stdout, took } = await signalled(
          mounted,
          `env --default-signal=INT cat "$MP/${name}"`,
          `kill -${signal} $pid`,
        );
        t.is(stdout, `status ${status}\n`, `${name}, ${signal}`);
        t.true(took < elsewhere.took + 1000, `${name}, ${signal}: ${took} ms, elsewhere ${elsewhere.took} ms`);
      }
    }
    // The kernel reads ahead on its own account: that request outlives its caller.
    await mounted.server('release', node);
    await mounted.untilPending(0);
    t.deepEqual(await mounted.server('accidents'), []);
  });
}

test.serial('a signal that is not fatal does not fail the call, and one that is still works after it', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  // Two names: who waits for another's lookup of the same name cannot be killed, whatever the file system does.
  await mounted.server('hold', 'slow');
  await mounted.server('hold', 'doomed');
  const handler = (name: string): string =>
    `'${process.execPath}' -e 'process.on("SIGUSR1", () => {}); process.stdout.write(require("fs").readFileSync(process.argv[1]))' "$MP/${name}"`;
  const survivor = signalled(
    mounted,
    handler('slow'),
    'kill -CHLD $pid; kill -USR1 $pid; kill -STOP $pid; kill -CONT $pid',
  );
  await mounted.untilPending(1);
  const signals = 'kill -USR1 $pid; sleep 0.3; kill -KILL $pid';
  const elsewhere = await signalled(mounted, 'sleep 100', signals);
  const killed = await signalled(mounted, handler('doomed'), signals);
  t.is(killed.stdout, 'status 137\n');
  t.true(killed.took < elsewhere.took + 1000, `${killed.took} ms, elsewhere ${elsewhere.took} ms`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await mounted.untilPending(1);
  await mounted.server('release', 'slow');
  t.is((await survivor).stdout, 'at last\nstatus 0\n');
});
