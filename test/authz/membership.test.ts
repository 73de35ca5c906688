import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sessionOf } from '../../src/authz/sessions.ts';
import type { AuthzSettings } from '../../src/authz/settings.ts';
import { Membership } from '../../src/filesystem/membership.ts';
import { type Caller, Errno, Pending } from '../../src/fuse/operations.ts';
import { type HelperBehaviour, writeAuthzHelper } from '../support/authz-helper.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

const EACCES = 13;
const ME: Caller = { uid: 1000, gid: 1000, pid: process.pid };

interface Fixture {
  readonly membership: Membership;
  readonly reports: string[];
  /** What the helper has noted. */
  log(): string[];
}

function start(
  t: ExecutionContext,
  behaviour: Omit<HelperBehaviour, 'log'>,
  settings: Partial<AuthzSettings> = {},
): Fixture {
  const directory = temporaryDirectory(t);
  const log = join(directory, 'log');
  writeAuthzHelper(join(directory, 'cvmfs_test_helper'), { ...behaviour, log });
  const reports: string[] = [];
  const membership = new Membership(
    {
      searchPath: directory,
      environment: { COLOUR: 'red' },
      handshake: { fqrn: 'x.example.org', syslog_facility: 0, syslog_level: 3 },
      rootIsExempt: false,
      ...settings,
    },
    (line) => reports.push(line),
  );
  t.teardown(() => membership.close());
  membership.require('test%/vo/group');
  return { membership, reports, log: () => readFileSync(log, 'utf8').trim().split('\n') };
}

/** As a session does: tries again until there is an answer. */
async function granted(membership: Membership, caller = ME): Promise<boolean> {
  for (;;) {
    try {
      membership.check(caller);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Pending)) {
        if (thrown instanceof Errno && thrown.errno === EACCES) return false;
        throw thrown;
      }
      await thrown.ready;
    }
  }
}

test('the helper is asked once for a session, and its credentials are kept', async (t) => {
  const proxy = Buffer.from('PEM').toString('base64');
  const { membership, log } = start(t, { answer: { status: 0, x509_proxy: proxy, bearer_token: 'abc' } });
  t.is(membership.credential, undefined);
  t.deepEqual(await Promise.all([granted(membership), granted(membership)]), [true, true]);
  t.true(await granted(membership));
  t.deepEqual(membership.credential, { certificate: 'PEM', bearerToken: 'abc' });
  const [begin, handshake, question, ...more] = log();
  t.is(begin, 'start yes red');
  t.like(JSON.parse(handshake), { msgid: 0, revision: 0, fqrn: 'x.example.org' });
  const membershipText = Buffer.from('/vo/group').toString('base64');
  t.like(JSON.parse(question), { msgid: 2, pid: process.pid, uid: process.getuid?.(), membership: membershipText });
  t.deepEqual(more, []);
});

test('who is not a member is denied, with the reason in the log', async (t) => {
  const { membership, reports, log } = start(t, { answer: { status: 3, ttl: 60, bearer_token: 'abc' } });
  t.false(await granted(membership));
  t.false(await granted(membership));
  t.is(membership.credential, undefined);
  t.is(log().length, 3);
  t.regex(reports.join('\n'), /not a member \('test%\/vo\/group'\)/);
});

test('a decision that is over is asked for again', async (t) => {
  const { membership, log } = start(t, { answer: { status: 0, ttl: 0 } });
  t.true(await granted(membership));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  t.true(await granted(membership));
  t.is(log().length, 4);
});

for (const fault of ['hang', 'exit', 'garbage'] as const) {
  test(`a helper that breaks the protocol (${fault}): denied in bounded time`, async (t) => {
    const { membership, reports } = start(t, { fault }, { patience: 1 });
    const begin = performance.now();
    t.false(await granted(membership));
    t.true(performance.now() - begin < 15_000);
    t.regex(reports[0], /cannot be checked: the helper .*cvmfs_test_helper/);
  });
}

test('a helper that ends while nobody asks is started again for the next question', async (t) => {
  const { membership, reports, log } = start(t, { answer: { status: 0, ttl: 0 }, fault: 'idle-exit' });
  t.true(await granted(membership));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  t.true(await granted(membership));
  t.is(log().filter((line) => line.startsWith('start')).length, 2);
  t.deepEqual(reports, []);
});

test('what a helper that was given up has left behind says nothing about the next question', async (t) => {
  const { membership } = start(t, { answer: { status: 3, ttl: 60 }, fault: 'late' }, { patience: 2 });
  t.false(await granted(membership));
  // It is not started again before.
  await new Promise((resolve) => setTimeout(resolve, 5500));
  t.false(await granted(membership));
});

test('no helper, and a name that is none', async (t) => {
  const { membership, reports } = start(t, {});
  membership.require('other');
  t.false(await granted(membership));
  t.regex(reports[0], /cvmfs_other_helper cannot be started/);
  membership.require('../../evil%x');
  t.false(await granted(membership));
  t.true(reports.some((line) => line.includes("'../../evil' is no name of a helper")));
});

test('a process that cannot be seen is denied; the system’s root needs no membership', async (t) => {
  const { membership } = start(t, { answer: { status: 0 } }, { rootIsExempt: true });
  t.false(await granted(membership, { uid: 1000, gid: 1000, pid: 0 }));
  t.true(await granted(membership, { uid: 0, gid: 0, pid: 0 }));
  const strict = start(t, { answer: { status: 3 } });
  t.false(await granted(strict.membership, { uid: 0, gid: 0, pid: process.pid }));
});

test('without a requirement everybody may; with another one the old decisions are void', async (t) => {
  const { membership, log } = start(t, { answer: { status: 0, bearer_token: 'abc' } });
  t.true(await granted(membership));
  membership.require('test%/other');
  t.is(membership.credential, undefined);
  t.true(await granted(membership));
  t.is(log().filter((line) => line.startsWith('start')).length, 2);
  membership.require(undefined);
  t.notThrows(() => membership.check({ uid: 1, gid: 1, pid: 0 }));
});

test('processes of a session are one, another session is another', async (t) => {
  const children: ChildProcess[] = [
    spawn('sleep', ['20']),
    spawn('sleep', ['20']),
    spawn('sleep', ['20'], { detached: true }),
  ];
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  const keys = children.map(({ pid }) => sessionOf(pid as number)?.key);
  t.is(keys[0], keys[1]);
  t.not(keys[0], keys[2]);
  t.is(sessionOf(0), undefined);
});
