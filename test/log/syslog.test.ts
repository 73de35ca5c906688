// Messages to the system's log by a real logger(1) and a real datagram socket (client.md §10.2).
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Syslog } from '../../src/log/syslog.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

/** What syslogd is: prints each datagram as a line. Node has no datagram sockets in the file system. */
const DAEMON = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(65536).decode(), flush=True)
`;

const hasPython = spawnSync('python3', ['--version']).status === 0;
const withDaemon = hasPython ? test : test.skip;

withDaemon('each message with facility, level, tag and prefix', async (t) => {
  const socket = join(temporaryDirectory(t), 'log');
  const daemon = spawn('python3', ['-c', DAEMON, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => daemon.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: daemon.stdout }).on('line', (line) => lines.push(line));
  while (lines.length === 0) await sleep(10);
  const warn = (message: string) => t.fail(message);
  const local = new Syslog({ facility: 3, level: 2, prefix: 'the.repository', warn, socket });
  const user = new Syslog({ facility: undefined, level: 3, prefix: 'prefix', warn, socket });
  local.write('error', 'an error');
  local.write('warning', 'a <7>warning');
  local.write('note', 'a note');
  local.write('debug', 'not sent');
  user.write('note', 'another note');
  for (let i = 0; i < 500 && lines.length < 5; i++) await sleep(20);
  const received = lines.slice(1).map((line) => line.replace(/^(<\d+>).*?cvmfs2: /, '$1'));
  t.deepEqual(
    received.sort(),
    [
      '<155>(the.repository) an error',
      '<156>(the.repository) a <7>warning',
      '<158>(the.repository) a note',
      '<13>(prefix) another note',
    ].sort(),
  );
});

withDaemon('signals to the process group of the job do not end it', async (t) => {
  const socket = join(temporaryDirectory(t), 'log');
  const daemon = spawn('python3', ['-c', DAEMON, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => daemon.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: daemon.stdout }).on('line', (line) => lines.push(line));
  const until = async (text: string) => {
    for (let i = 0; i < 500 && !lines.some((line) => line.includes(text)); i++) await sleep(20);
    t.true(lines.at(-1)?.includes(text), `${text}: ${lines}`);
  };
  await until('bound');
  const program = `
    import { Syslog } from ${JSON.stringify(join(import.meta.dirname, '../../src/log/syslog.ts'))};
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
    const warn = (message) => console.log(message);
    const log = new Syslog({ facility: undefined, level: 3, prefix: 'x', warn, socket: ${JSON.stringify(socket)} });
    log.write('note', 'before');
    process.stdin.on('data', () => log.write('note', 'after'));`;
  const job = spawn(process.execPath, ['--input-type=module', '-e', program], { detached: true, stdio: 'pipe' });
  t.teardown(() => job.kill('SIGKILL'));
  let complaints = '';
  job.stdout.on('data', (text) => {
    complaints += text;
  });
  await until('before');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(-job.pid!, signal);
  await sleep(100);
  job.stdin.write('\n');
  await until('after');
  t.is(complaints, '');
});

test('where there is no system log it is told once', async (t) => {
  const complaints: string[] = [];
  const socket = join(temporaryDirectory(t), 'missing');
  const warned = new Promise<void>((resolve) => {
    const warn = (message: string): void => {
      complaints.push(message);
      resolve();
    };
    const log = new Syslog({ facility: undefined, level: 3, prefix: 'x', warn, socket });
    log.write('error', 'one');
    const again = setInterval(() => log.write('error', 'more'), 50);
    t.teardown(() => clearInterval(again));
  });
  await Promise.race([warned, sleep(10_000)]);
  await sleep(100);
  t.is(complaints.length, 1);
  t.regex(complaints[0], /nothing is written to the system's log: there is no \//);
});
