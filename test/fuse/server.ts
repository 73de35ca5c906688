// Serves the memory file system on descriptor 3; does what its parent says over IPC.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, write } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { invalidateEntryMessage } from '../../src/fuse/notify.ts';
import { type Entry, Pending } from '../../src/fuse/operations.ts';
import { Session } from '../../src/fuse/session.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import type { Call, Return, ServerSettings } from './protocol.ts';

/** Names that begin with "late-" are not local when they are first looked up. */
class LateFileSystem extends MemoryFileSystem {
  readonly #arrived = new Set<string>();

  override lookup(parent: number, name: string): Entry | undefined {
    if (name.startsWith('late-') && !this.#arrived.has(name)) {
      throw new Pending(setTimeout(3).then(() => this.#arrived.add(name)));
    }
    return super.lookup(parent, name);
  }
}

const settings = JSON.parse(process.argv[2]) as ServerSettings;
const memory = new LateFileSystem();
let churning = true;
const accidents: string[] = [];
const trace: string[] = [];
const opened = new Map<string | number, { resolve: () => void; reject: (reason: unknown) => void }>();

memory.file('/hello', 'hello world\n');
memory.file('/private', 'secret\n', 0o600);
memory.file('/script', '#!/bin/sh\necho ran\n', 0o755);
memory.file('/old', 'x', 0o644, -86_400 * 365 * 20);
memory.file('/caf\xe9 \xff', 'bytes\n');
memory.file('/slow', 'at last\n');
memory.file('/doomed', 'never\n');
memory.symlink('/link', 'deep/er');
memory.file('/deep/er/file', 'deep\n');
memory.file('/hello2', 'hello\n').xattrs.set('user.color', Buffer.from('green'));
const pattern = Buffer.alloc(5_000_000);
for (let i = 0; i < pattern.length; i++) pattern[i] = (i * 7 + (i >> 8)) & 0xff;
memory.file('/large', pattern);
for (let i = 0; i < 5000; i++) memory.file(`/many/name-${i}`, `${i}`);

const session = new Session({
  ...settings,
  adopted: settings.negotiated !== undefined,
  fd: 3,
  readOnlyMount: settings.readOnly,
  operations: memory,
  entryTimeout: 36_000,
  attributeTimeout: 36_000,
  debug: (line) => trace.push(line),
  onError: (request, reason) => accidents.push(`${request}: ${reason instanceof Error ? reason.message : reason}`),
});

const commands: Record<string, (...values: never[]) => unknown> = {
  ready: () => session.ready,
  counts: () => memory.total(),
  count: (...names: string[]) => memory.total(...names),
  accidents: () => accidents,
  trace: () => trace,
  pending: () => session.pendingCount,
  /** Lookups of a name, or reads of a node, wait from now on. */
  hold: (name: string | number) => {
    const gate = new Promise<void>((resolve, reject) => opened.set(name, { resolve, reject }));
    gate.catch(() => {});
    memory.gates.set(name, gate);
  },
  release: (name: string | number) => {
    memory.gates.delete(name);
    opened.get(name)?.resolve();
  },
  reject: (name: string | number, reason: string) => {
    opened.get(name)?.reject(new Error(reason));
  },
  /** Gives a file of the root other content; returns its node. */
  rewrite: (name: string, content: string) => {
    const { node } = memory.root.children!.get(name)!.entry;
    memory.rewrite(node, Buffer.from(content));
    return node;
  },
  create: (path: string, content: string) => void memory.file(path, content),
  remove: (path: string) => memory.remove(path),
  nodeOf: (name: string) => memory.root.children!.get(name)!.entry.node,
  invalidateEntry: (parent: number, name: string) => session.notify.invalidateEntry(parent, name),
  /** Also while a request holds the lock that it waits for. */
  invalidateEntryRashly: (parent: number, name: string) =>
    new Promise((resolve) => write(3, invalidateEntryMessage(parent, name, false), resolve)),
  invalidateInode: (node: number) => session.notify.invalidateInode(node),
  /** Invalidates names beside /late/late-N, one after the other, until `stopChurning`; then gives how many. */
  churn: async (files: number) => {
    for (let i = 0; i < files; i++) memory.file(`/late/late-${i}`, `${i}\n`);
    const parent = memory.directory('/late').entry.node;
    let count = 0;
    for (; churning; count++) {
      await session.notify.invalidateEntry(parent, `beside-${count % 7}`);
    }
    return count;
  },
  stopChurning: () => {
    churning = false;
  },
  incrementEpoch: () => session.notify.incrementEpoch(),
  /** Somebody reads the file, and is killed when the kernel has announced the first request and it is not read yet. */
  killAsker: async (path: string) => {
    const asker = spawn('sh', ['-c', 'read go; echo; exec cat "$0"', path], { stdio: ['pipe', 'pipe', 'ignore'] });
    const exited = once(asker, 'exit');
    asker.stdout.once('data', () => {
      asker.kill('SIGKILL');
      untilStateIs(asker.pid, '(cat) Z');
    });
    await setTimeout(10);
    // Both come while this thread stands still, and so are announced together, in this order.
    asker.stdin.write('\n');
    untilStateIs(asker.pid, '(cat) S');
    await exited;
  },
};

/** Waits for the name and state of a process in the thread that answers. */
function untilStateIs(pid: number | undefined, state: string): void {
  const deadline = performance.now() + 5000;
  while (!readFileSync(`/proc/${pid}/stat`, 'latin1').includes(state)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} was never ${state}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

process.on('message', async ({ id, command }: Call) => {
  const answer: Return = { id };
  try {
    if (!('server' in command)) throw new Error('not for the server');
    answer.value = await commands[command.server](...(command.arguments as never[]));
  } catch (error) {
    answer.error = String(error);
  }
  if (process.connected) process.send!(answer);
});
process.on('disconnect', () => process.exit(1));

const ended = session.start();
process.send!({ id: 0 } satisfies Return);
await ended;
process.exit(0);
