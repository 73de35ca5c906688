import { existsSync } from 'node:fs';
import test from 'ava';
import { mount } from './mount.ts';

/** undefined: it takes longer, milliseconds. */
function within<T>(limit: number, promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), limit))]);
}

const SERVER_ENDS = 'for i in $(seq 50); do [ -e /proc/$SERVER_PID/exe ] || { echo gone; break; }; sleep 0.05; done';

for (const command of ['umount', 'umount -l', 'umount -f -l']) {
  test.serial(`${command} ends the session`, async (t) => {
    const mounted = await mount(t);
    if (mounted === undefined) return;
    const { stdout, stderr } = await mounted.run(`cat "$MP/hello" && ${command} "$MP" && ${SERVER_ENDS}`);
    t.is(stdout, 'hello world\ngone\n', stderr);
  });
}

test.serial('an abort frees those who wait, and ends the session', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.server('hold', 'slow');
  const { stdout, took } = await mounted.run(
    `cat "$MP/slow" & sleep 0.3; umount -f "$MP"; umount -l "$MP"; wait; ${SERVER_ENDS}`,
  );
  t.is(stdout, 'gone\n');
  t.true(took < 5000);
});

test.serial('who is killed before the request is read takes it back, and the session goes on', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const mountPoint = (await mounted.run('printf %s "$MP"')).stdout;
  for (const name of ['never-read', 'hello']) await mounted.server('killAsker', `${mountPoint}/${name}`);
  t.is((await mounted.run('cat "$MP/hello"')).stdout, 'hello world\n');
  t.deepEqual(await mounted.server('accidents'), []);
  t.is(await mounted.server('count', 'lookup'), 1, 'nothing else was read');
});

test.serial('a killed server leaves ENOTCONN, no waiting caller and no process', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  await mounted.server('hold', 'slow');
  const { stdout, stderr } = await mounted.run(
    'cat "$MP/slow" & sleep 0.3; kill -KILL $SERVER_PID; wait $!; echo "status $?"; cat "$MP/hello"; umount "$MP" && ls -A "$MP"',
  );
  t.is(stdout, 'status 1\n');
  t.regex(stderr, /slow: Software caused connection abort/);
  t.regex(stderr, /hello: Transport endpoint is not connected/);
});

test.serial(
  'a server that is killed while an invalidation and a lookup wait for each other leaves nobody hanging',
  async (t) => {
    const mounted = await mount(t);
    if (mounted === undefined) return;
    await mounted.run('cat "$MP/hello"');
    await mounted.server('hold', 'slow');
    const waiting = mounted.run('cat "$MP/slow"');
    await mounted.untilPending(1);
    void mounted.server('invalidateEntry', 1, 'hello').catch(() => {});
    await mounted.run('sleep 0.2');
    await mounted.killServer();
    t.regex((await waiting).stderr, /slow: Software caused connection abort/);
  },
);

test.serial('a successor adopts the descriptor of a killed server: callers only see a pause', async (t) => {
  const mounted = await mount(t, { keepDescriptor: true });
  if (mounted === undefined) return;
  t.is((await mounted.run('cd "$MP" && cat hello link/file; ls many | wc -l')).stdout, 'hello world\ndeep\n5000\n');
  await mounted.server('hold', 'slow');
  const waiting = mounted.run('cat "$MP/slow"');
  await mounted.untilPending(1);
  await mounted.killServer();
  const during = mounted.run('cat "$MP/many/name-42"');
  await mounted.restartServer();
  const { stdout, stderr } = await waiting;
  // Before Linux 6.9 the kernel cannot repeat what the dead server had read.
  t.is(stdout, 'at last\n', stderr);
  t.is((await during).stdout, '42');
  t.is((await mounted.run('cd "$MP" && cat deep/er/file old; ls deep; find . | wc -l')).stdout, 'deep\nxer\n5015\n');
});

test.serial(
  'a killed server of which a thread waits in the kernel for its own answer ends when a successor gives it',
  async (t) => {
    const mounted = await mount(t, { keepDescriptor: true });
    if (mounted === undefined) return;
    await mounted.run('cat "$MP/hello"');
    await mounted.server('hold', 'slow');
    const waiting = mounted.run('cat "$MP/slow"');
    await mounted.untilPending(1);
    void mounted.server('invalidateEntryRashly', 1, 'hello').catch(() => {});
    await mounted.run('sleep 0.2');
    t.deepEqual(await mounted.overtakeServer(), { endedByItself: false, state: 'Z' });
    t.is((await waiting).stdout, 'at last\n');
  },
);

test.serial('where the kernel cannot repeat requests, those that were lost are looked up and read again', async (t) => {
  const mounted = await mount(t, { keepDescriptor: true, withoutResend: true });
  if (mounted === undefined) return;
  const node = await mounted.server('nodeOf', 'hello2');
  await mounted.server('hold', 'slow');
  await mounted.server('hold', node);
  const looking = mounted.run('cat "$MP/slow"');
  const reading = mounted.run('cat "$MP/hello2"');
  await mounted.untilPending(2);
  await mounted.killServer();
  await mounted.restartServer();
  // Any request tells the successor which numbers are concerned.
  t.is((await mounted.run('cat "$MP/many/name-1"')).stdout, '1');
  t.is((await looking).stdout, 'at last\n');
  t.is((await reading).stdout, 'hello\n');
});

for (const withoutResend of [false, true]) {
  const title = withoutResend ? 'the kernel cannot repeat it' : 'the kernel repeats it';
  test.serial(`what was lost comes also where somebody was killed while there was no server (${title})`, async (t) => {
    const mounted = await mount(t, { keepDescriptor: true, withoutResend });
    if (mounted === undefined) return;
    const node = await mounted.server('nodeOf', 'hello2');
    await mounted.server('hold', 'slow');
    await mounted.server('hold', node);
    const killed = mounted.run('cat "$MP/slow" & echo $! >"$MP.pid"; wait $!; echo "status $?"');
    await mounted.untilPending(1);
    const reading = mounted.run('cat "$MP/hello2"');
    await mounted.untilPending(2);
    await mounted.killServer();
    await mounted.run('kill -KILL $(cat "$MP.pid")');
    await mounted.restartServer();
    t.is((await mounted.run('cat "$MP/many/name-1"')).stdout, '1');
    t.is((await killed).stdout, 'status 137\n');
    t.is((await within(20_000, reading))?.stdout, 'hello\n');
  });
}

test.serial('nothing is left of a mount whose namespace has ended', async (t) => {
  const mounted = await mount(t);
  if (mounted === undefined) return;
  const pid = (await mounted.run('cat "$MP/hello" >/dev/null; echo $SERVER_PID')).stdout.trim();
  t.true(existsSync(`/proc/${pid}`));
  await mounted.end();
  const deadline = Date.now() + 5000;
  while (existsSync(`/proc/${pid}`) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  t.false(existsSync(`/proc/${pid}`));
});
