// Launches that name no repository, under all shells that /bin/sh can be: the server comes with the first request.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { parseLaunchWords } from '../../src/cli/launch-words.ts';
import { writeBusyboxTree } from '../support/image-hub.ts';
import { outcome, shells, until, Workplace } from './job.ts';

const place = new Workplace();
const image = join(place.directory, 'image');
test.before(() => writeBusyboxTree(image));
test.after.always(() => place.close());

function canServeLater(words: readonly string[]): boolean {
  const code = `for file in quoting words serve-later; do . "$1/$file.sh"; done; shift
    cx_parse_words "$@"; cx_can_serve_later "$@" && echo yes; exit 0`;
  const directory = join(import.meta.dirname, '../../src/launcher');
  return execFileSync('/bin/sh', ['-c', code, 'sh', directory, ...words], { encoding: 'utf8' }) === 'yes\n';
}

test('a server is not needed before the command starts where nothing is served and the words are right', (t) => {
  const more = [
    ['-N', '-d', '--debug', '--offline', '--own', '--map-subids', '--host-pids'],
    ['--contain', '--no-home', '--cleanenv', '--pwd', '/x y', '--env', 'A=b c=d', '--env=_1=', '-o', 'CVMFS_X='],
    ['--bind', 'a b', '--bind', 'a:/b', '--bind=/a:/b:ro', '--bind', 'a:/:rw', '--config', '', '--config=x'],
    ['--overlay-engine', 'fuse', '--overlay-engine=kernel', '--fuse-overlayfs', 'x', '-m', 'a b'],
  ];
  for (const name of ['/', '/x', '.', '..', './a b', '../x', '/cvmfs'])
    more.push(['--image', name], [`--image=${name}`]);
  for (const words of [['-m', 'x'], ...more.map((words) => ['--image', '/x', ...words])]) {
    t.true(canServeLater(words), words.join(' '));
    const { repositories, auto, record } = parseLaunchWords(words);
    t.deepEqual([repositories, auto, record], [[], undefined, undefined]);
  }
});

test('all else the server is asked about first', (t) => {
  const served = [
    ...[['a.org'], ['--image', 'name'], ['--image', '/cvmfs/a.org/x'], ['--auto'], ['--overlay', 'a.org']],
    ...[['--record', 'x'], ['--status-fd', '3'], ['-mx'], ['-oA=b']],
  ];
  const wrong = [
    ...[
      ['--unknown'],
      ['-x'],
      ['a b'],
      ['--env', 'x'],
      ['--env', '1=x'],
      ['--env', '=x'],
      ['-o', 'x'],
      ['-o', 'a-b=x'],
    ],
    ...[
      ['--pwd', 'x'],
      ['--bind', ''],
      ['--bind', ':/x'],
      ['--bind', 'a:b'],
      ['--bind', 'a:/b:x'],
      ['--bind', 'a:b:ro'],
    ],
    ...[['--bind', 'a:/b:c:ro'], ['--overlay-engine', 'x'], ['--image='], ['--image', '/cvmfs/a b'], ['--contain=x']],
    ...[['--image'], ['--bind'], ['-o'], ['-m']],
  ];
  for (const words of [...served, ...wrong]) t.false(canServeLater(['--image', '/x', ...words]), words.join(' '));
  for (const words of [[], ['-d'], ['-m', 'x', '--contain'], ['-m', 'x', '--bind', '/a']]) {
    t.false(canServeLater(words), words.join(' '));
  }
  for (const words of wrong) t.throws(() => parseLaunchWords(['--image', '/x', ...words]), undefined, words.join(' '));
});

function servers(): number[] {
  return place.processes().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('start.cjs\0server\0');
    } catch {
      return false; // gone
    }
  });
}

async function otherServer(than?: number): Promise<number> {
  for (let i = 0; i < 400; i++) {
    const found = servers().find((pid) => pid !== than);
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error('no server within 20 s');
}

for (const shell of shells) {
  const inImage = (code: string, ...words: string[]) => [
    place.program,
    '--image',
    image,
    ...words,
    '--',
    'sh',
    '-c',
    code,
  ];

  test.serial(
    `${shell}: there is no server, until something is asked for; one that is killed is followed by another`,
    async (t) => {
      const job = place.spawn(inImage('cat /etc/issue; read line; echo "$line" >&$CVMFSEXEC_CMDFD; cat; exit 7'), {
        shell,
      });
      const ended = outcome(job);
      await until(job, 'a busybox image');
      t.deepEqual(servers(), []);
      job.stdin?.write('a request\n');
      const first = await otherServer();
      await sleep(200);
      process.kill(first, 'SIGKILL');
      t.not(await otherServer(first), first);
      job.stdin?.end('the end\n');
      const { code, stdout, stderr } = await ended;
      t.deepEqual([code, String(stdout)], [7, 'a busybox image\nthe end\n']);
      t.regex(stderr, /^cvmfsexec: the file system server ended \(signal 9\); a new one takes over\n$/);
      t.deepEqual(await place.leftovers(), []);
    },
  );

  test.serial(`${shell}: the end of a job without a server is not waited for`, async (t) => {
    const best = { later: Number.POSITIVE_INFINITY, server: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 3; i++) {
      for (const [kind, words] of [
        ['later', []],
        ['server', ['--record', '/dev/null']],
      ] as const) {
        const begin = performance.now();
        const { code, stderr } = await place.run(inImage('exit 3', ...words), { shell });
        best[kind] = Math.min(best[kind], performance.now() - begin);
        t.is(code, 3, stderr);
      }
    }
    t.true(best.later < best.server + 1000, JSON.stringify(best));
  });

  test.serial(`${shell}: the signals of a job without a server`, async (t) => {
    const { signal } = await place.run(inImage('kill -TERM $$'), { shell });
    t.is(signal, 'SIGTERM');
    const go = join(place.scratch, 'go');
    const wait = 'while [ ! -e $go ]; do sleep 0.1; done';
    const code = `go=${go}; trap 'echo got' INT; echo up; ${wait}; echo >&$CVMFSEXEC_CMDFD; go=/none; ${wait}`;
    const job = place.spawn(inImage(code), { shell, detached: true });
    await until(job, 'up');
    process.kill(-job.pid!, 'SIGINT'); // as ^C: who waits for requests goes on
    await until(job, 'got');
    t.deepEqual(servers(), []);
    writeFileSync(go, '');
    await otherServer();
    job.kill('SIGKILL');
    rmSync(go);
    t.deepEqual(await place.leftovers(), []);
  });

  test.serial(
    `${shell}: a server that cannot be started ends the job that asks for something, and no other`,
    async (t) => {
      const broken = new Workplace();
      try {
        const home = join(broken.directory, 'package');
        rmSync(join(home, 'node_modules'));
        mkdirSync(join(home, 'node/bin'), { recursive: true });
        writeFileSync(join(home, 'node/bin/node'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
        const words = (code: string) => [broken.program, '--image', image, '--', 'sh', '-c', code];
        const quiet = await broken.run(words('exit 5'), { shell });
        t.deepEqual([quiet.code, quiet.stderr], [5, '']);
        const asking = await broken.run(words('echo >&$CVMFSEXEC_CMDFD; sleep 100'), { shell });
        t.is(asking.code, 125);
        const again = 'cvmfsexec: the file system server ended (status 3); a new one takes over\n';
        const end =
          'cvmfsexec: the file system server ended unexpectedly (status 3), three times in a row; the job was ended\n';
        t.is(asking.stderr, again + again + end);
        t.deepEqual(await broken.leftovers(), []);
      } finally {
        await broken.close();
      }
    },
  );
}
