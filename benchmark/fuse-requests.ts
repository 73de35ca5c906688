// How many requests the FUSE layer answers, with a file system that costs nothing, against the same programs on tmpfs.
// Usage: node benchmark/fuse-requests.ts [seconds per row, default 2]
// One file in four roles: started by hand, `driver` in namespaces of its own, `server` with the descriptor, `client` on a mount.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountOptions } from '../src/fuse/mount-options.ts';
import { Session } from '../src/fuse/session.ts';
import { MemoryFileSystem } from '../test/fuse/memory-file-system.ts';
import { inNamespaces } from '../test/fuse/mount.ts';

const DIRECTORIES = 400;
const FILES = 100;
const LARGE_BYTES = 256 * 1024 * 1024;
const CONTENT = Buffer.alloc(4096, 'x');
const SELF = import.meta.filename;

interface Result {
  /** Per second, all clients together. */
  rate: number;
  units: number;
}

type Work = 'stat' | 'open' | 'large' | 'list';

/** Each gives how many units it did: calls, files, bytes, entries. */
const WORK: Record<Work, (directory: string, seconds: number, offset: number) => number> = {
  stat(directory, seconds, offset) {
    const until = performance.now() + seconds * 1000;
    let calls = 0;
    for (let i = offset; performance.now() < until; ) {
      for (let burst = 0; burst < 100; burst++, i++, calls++) {
        statSync(`${directory}/d${i % DIRECTORIES}/f${i % FILES}`, { throwIfNoEntry: true });
      }
    }
    return calls;
  },
  open(directory, seconds) {
    const until = performance.now() + seconds * 1000;
    const target = Buffer.alloc(4096);
    let files = 0;
    for (; files < DIRECTORIES * FILES && performance.now() < until; files++) {
      const fd = openSync(`${directory}/d${Math.floor(files / FILES)}/f${files % FILES}`, 'r');
      readSync(fd, target);
      closeSync(fd);
    }
    return files;
  },
  large(directory) {
    const target = Buffer.alloc(1 << 20);
    const fd = openSync(`${directory}/large`, 'r');
    let bytes = 0;
    for (let count = 1; count > 0; bytes += count) count = readSync(fd, target);
    closeSync(fd);
    return bytes;
  },
  list(directory) {
    let entries = 0;
    for (const name of readdirSync(directory)) {
      entries++;
      if (name === 'large') continue;
      for (const file of readdirSync(join(directory, name))) {
        statSync(`${directory}/${name}/${file}`);
        entries++;
      }
    }
    return entries;
  },
};

function client(work: Work, directory: string, seconds: number, offset: number): void {
  const began = performance.now();
  const units = WORK[work](directory, seconds, offset);
  console.log(JSON.stringify({ rate: (units / (performance.now() - began)) * 1000, units } satisfies Result));
}

async function serve(timeout: number): Promise<void> {
  const memory = new MemoryFileSystem();
  for (let d = 0; d < DIRECTORIES; d++) for (let f = 0; f < FILES; f++) memory.file(`/d${d}/f${f}`, CONTENT);
  memory.file('/large', Buffer.alloc(LARGE_BYTES, 'y'));
  const session = new Session({
    fd: 3,
    operations: memory,
    answerOpen: false,
    readOnlyMount: true,
    listXattr: false,
    entryTimeout: timeout,
    // Otherwise every step of a path is asked for once more.
    attributeTimeout: 36_000,
  });
  const ended = session.start();
  const before = process.cpuUsage();
  process.on('disconnect', () => process.exit(1));
  process.send!('serving');
  await ended;
  const { user, system } = process.cpuUsage(before);
  process.send!(user + system, () => process.exit(0));
}

/** Client and server share a CPU: what a request costs without the scheduler's luck. */
const pin = (pinned: boolean): string[] => (pinned ? ['taskset', '-c', '0'] : []);

/** The sum over `clients` at once. */
async function measure(
  work: Work,
  directory: string,
  seconds: number,
  clients: number,
  pinned: boolean,
): Promise<Result> {
  const children = Array.from({ length: clients }, (_, i) => {
    const [program, ...words] = [
      ...pin(pinned),
      process.execPath,
      SELF,
      'client',
      work,
      directory,
      String(seconds),
      String(i * 37),
    ];
    return spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  });
  const sums = children.map(async (child) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await once(child, 'close');
    return JSON.parse(text) as Result;
  });
  return (await Promise.all(sums)).reduce((a, b) => ({ rate: a.rate + b.rate, units: a.units + b.units }));
}

/** Also gives the CPU time that the server took for it, in microseconds. */
async function onMount(
  timeout: number,
  pinned: boolean,
  use: (directory: string) => Promise<Result>,
): Promise<Result & { cpu: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'fuse-benchmark-'));
  const fd = openSync('/dev/fuse', 'r+');
  const options = mountOptions({ fd: 3, uid: 0, gid: 0, readOnly: true, allowOther: true });
  const stdio = ['ignore', 'inherit', 'inherit', fd] as const;
  spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'memory', directory], { stdio: [...stdio] });
  const [program, ...words] = [...pin(pinned), process.execPath, SELF, 'server', String(timeout)];
  const server = spawn(program, words, { stdio: [...stdio, 'ipc'] });
  closeSync(fd);
  await once(server, 'message');
  const result = await use(directory);
  const last = once(server, 'message');
  await once(spawn('umount', [directory], { stdio: 'inherit' }), 'close');
  const [cpu] = await last;
  rmSync(directory, { recursive: true, force: true });
  return { ...result, cpu };
}

async function onTmpfs(use: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'fuse-benchmark-'));
  spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', directory], { stdio: 'inherit' });
  for (let d = 0; d < DIRECTORIES; d++) {
    mkdirSync(join(directory, `d${d}`));
    for (let f = 0; f < FILES; f++) writeFileSync(join(directory, `d${d}`, `f${f}`), CONTENT);
  }
  writeFileSync(join(directory, 'large'), Buffer.alloc(LARGE_BYTES, 'y'));
  const result = await use(directory);
  spawnSync('umount', [directory], { stdio: 'inherit' });
  rmSync(directory, { recursive: true, force: true });
  return result;
}

async function drive(seconds: number): Promise<void> {
  const KEPT = 36_000;
  const rows: Array<[string, Work, number, number, boolean, number]> = [
    ['stat/s, two lookups each, one CPU', 'stat', 0, 1, true, 1],
    ['stat/s, 4 processes', 'stat', 0, 4, false, 1],
    ['stat/s, kept by the kernel, one CPU', 'stat', KEPT, 1, true, 1],
    ['open+read 4 KiB+close/s, cold, one CPU', 'open', KEPT, 1, true, 1],
    ['readdir+stat entries/s, cold, one CPU', 'list', KEPT, 1, true, 1],
    ['sequential MB/s, cold', 'large', KEPT, 1, false, 1e6],
  ];
  console.log(`Node ${process.version}, ${availableParallelism()} CPUs, ${DIRECTORIES * FILES} files`);
  console.log(`${''.padEnd(42)}       FUSE      tmpfs   server µs each`);
  for (const [title, work, timeout, clients, pinned, unit] of rows) {
    const use = (directory: string) => measure(work, directory, seconds, clients, pinned);
    const fuse = await onMount(timeout, pinned, use);
    const tmpfs = await onTmpfs(use);
    const rates = [fuse.rate / unit, tmpfs.rate / unit].map((rate) => rate.toFixed(0).padStart(11)).join('');
    const each = (fuse.cpu * unit) / Math.max(fuse.units, 1);
    console.log(`${title.padEnd(42)}${rates}${each.toFixed(1).padStart(17)}`);
  }
}

const [role, ...words] = process.argv.slice(2);
if (role === 'client') client(words[0] as Work, words[1], Number(words[2]), Number(words[3]));
else if (role === 'server') await serve(Number(words[0]));
else if (role === 'driver') await drive(Number(words[0]));
else {
  const [program, ...rest] = [...inNamespaces(), process.execPath, SELF, 'driver', role ?? '2'];
  const child = spawn(program, rest, { stdio: 'inherit', cwd: '/' });
  const [code] = await once(child, 'exit');
  process.exitCode = code ?? 1;
}
