// --map-subids: a job in which the caller's subordinate ids can be used as on the host, and nothing more than on the host.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { type JobOptions, outcome, shells, until, Workplace } from '../launcher/job.ts';
import { isRoot, user } from '../support/ordinary-user.ts';

const place = new Workplace();
test.after.always(() => place.close());

const can = isRoot && existsSync('/usr/bin/newuidmap');
const withRoot = can ? test.serial : test.skip;
if (!can) console.log('skipped: --map-subids, for which root makes ranges of ids and newuidmap must be installed');

const [FIRST, COUNT] = [300_000, 5000];

/** For `host`: what /etc/subuid and /etc/subgid hold. */
function subids(text: string): string {
  const file = join(place.directory, `subids-${text.length}`);
  writeFileSync(file, text);
  return `for f in subuid subgid; do [ -e /etc/$f ] || : >/etc/$f; mount --bind ${file} /etc/$f; done`;
}
const host = subids(`somebody:100000:65536\n${user.name}:${FIRST}:${COUNT}\n`);

const job = (command: readonly string[], options: JobOptions = {}) =>
  place.run([place.program, '--map-subids', 'test.example.org', '--', ...command], { host, ...options });

for (const shell of shells) {
  withRoot(
    `${shell}: the ids are mapped to themselves, the caller is the caller, and its status is passed on`,
    async (t) => {
      const { stdout, stderr, code } = await job(
        ['sh', '-c', 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; echo "$1"; exit 7', 'sh', "a  'b"],
        { shell },
      );
      t.is(stderr, '');
      const lines = stdout
        .toString()
        .split('\n')
        .map((line) => line.trim().replace(/ +/g, ' '));
      t.deepEqual(lines, [
        String(user.uid),
        String(user.gid),
        `${user.uid} 0 1`,
        `${FIRST} ${FIRST} ${COUNT}`,
        `${user.gid} 0 1`,
        `${FIRST} ${FIRST} ${COUNT}`,
        "a 'b",
        '',
      ]);
      t.is(code, 7);
    },
  );

  withRoot(`${shell}: newuidmap works in the job: files can be given to another id of a namespace`, async (t) => {
    const script = `map() { /usr/bin/unshare --user --map-root-user --map-auto "$@"; }
      touch file; map sh -c 'chown 33:44 file; stat -c %u:%g file'; stat -c %u:%g file; map rm file`;
    const { stdout, stderr } = await job(['sh', '-c', script], { shell });
    t.is(stderr, '');
    t.is(stdout.toString(), `33:44\n${FIRST + 32}:${FIRST + 43}\n`);
  });
}

withRoot('the command has no right but to its own ids', async (t) => {
  const { stdout } = await job([
    'sh',
    '-c',
    `grep -h ^CapEff /proc/self/status; umount /cvmfs 2>/dev/null || echo kept
     perl -e '$> = 0; print $> == 0 ? "root\\n" : "not root\\n"; $> = ${FIRST + 1}; print "$>\\n"'`,
  ]);
  t.is(stdout.toString(), `CapEff:\t00000000000000c0\nkept\nnot root\n${FIRST + 1}\n`);
});

withRoot('without the option only the caller is mapped', async (t) => {
  const { stdout } = await place.job(['cat', '/proc/self/uid_map'], { host });
  t.is(stdout.toString().trim().replace(/ +/g, ' '), `${user.uid} 0 1`);
});

withRoot('also by the files alone, where there is no getsubids, and by number', async (t) => {
  const numbered = subids(`${user.uid}:${FIRST}:10\n${user.uid}:${FIRST + 100}:20\nbroken:\n`);
  const hide = 'mount --bind /dev/null "$(command -v getsubids)"';
  const { stdout, stderr } = await job(['cat', '/proc/self/uid_map'], { host: `${numbered}\n${hide}` });
  t.is(stderr, '');
  t.deepEqual(
    stdout
      .toString()
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/ +/).map(Number)),
    [
      [FIRST, FIRST, 10],
      [FIRST + 100, FIRST + 100, 20],
    ],
  );
});

withRoot('kill -9 of the monitor at any moment leaves nothing', async (t) => {
  for (let moment = 0; moment < 200; moment += 20) {
    const child = place.spawn([place.program, '--map-subids', 'a.b', '--', 'sleep', '1000'], { host });
    const ended = outcome(child);
    await sleep(moment);
    child.kill('SIGKILL');
    await ended;
  }
  // Mounts of other tests on this machine are not below /cvmfs, and what the tests above wrote may stay.
  const left = await place.leftovers();
  t.deepEqual(
    left.filter((line) => /^process| \/cvmfs[ /]/.test(line)),
    [],
  );
});

withRoot('TERM to the monitor reaches the command', async (t) => {
  const script = "trap 'echo got; exit 3' TERM; echo up; while :; do sleep 0.05; done";
  const child = place.spawn([place.program, '--map-subids', 'a.b', '--', 'sh', '-c', script], { host });
  const ended = outcome(child);
  await until(child, 'up');
  child.kill('SIGTERM');
  const { code, stdout } = await ended;
  t.is(stdout.toString(), 'up\ngot\n');
  t.is(code, 3);
});

withRoot('who has no range, no newuidmap, or one that refuses, is told so', async (t) => {
  const none = await job(['true'], { host: subids('somebody:100000:65536\n') });
  t.is(
    none.stderr,
    `cvmfsexec: --map-subids: ${user.name} has no range in /etc/subuid and /etc/subgid: ask the administrator for one\n`,
  );
  t.is(none.code, 125);
  const missing = await job(['true'], { host: `${host}\nmount --bind /dev/null /usr/bin/newuidmap` });
  t.regex(missing.stderr, /^cvmfsexec: --map-subids: no programs 'newuidmap' and 'newgidmap' found: install .*\n$/);
  t.is(missing.code, 125);
  const bin = join(place.directory, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'newuidmap'), '#!/bin/sh\necho "newuidmap: not today" >&2\nexit 1\n', { mode: 0o755 });
  const refused = await job(['true'], { env: { PATH: `${bin}:${process.env.PATH}` } });
  t.is(
    refused.stderr,
    'cvmfsexec: --map-subids: the ids of /etc/subuid and /etc/subgid cannot be mapped (newuidmap: not today)\n',
  );
  t.is(refused.code, 125);
});

withRoot('whose ids cannot be mapped for the command is told so, and does not wait for ever', async (t) => {
  const bin = join(place.directory, 'bin-printf');
  mkdirSync(bin);
  writeFileSync(join(bin, 'printf'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const { stderr, code } = await job(['true'], { env: { PATH: `${bin}:${process.env.PATH}` } });
  t.is(stderr, 'cvmfsexec: cannot map the ids of the user in the namespace of the command\n');
  t.is(code, 125);
});

withRoot('for root it changes nothing', async (t) => {
  const { stdout, stderr, code } = await job(['id', '-u'], { asRoot: true });
  t.is(`${stdout}${stderr}`, '0\n');
  t.is(code, 0);
});
