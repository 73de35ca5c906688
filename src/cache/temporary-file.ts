// Temporary files of a cache, and what dead processes left of theirs.
import * as fs from 'node:fs';
import { bootId } from './boot-id.ts';
import { seal } from './checksum.ts';

/** A transfer writes more often than this even at its lowest allowed speed. */
const LEFTOVER_MS = 30 * 60_000;
const NAME = /^fetch\.([0-9a-f]+)\.([0-9]+)\.[0-9a-z]+$/;

const CREATE_FLAGS = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL;

const UNKNOWN = '0';

let counter = 0;
let namespace: string | undefined;

/**
 * Numbers of processes mean something within one pid namespace of one machine only: the first namespace has the same number
 * on all machines. UNKNOWN: nothing can be told.
 */
function pidNamespace(): string {
  if (namespace !== undefined) return namespace;
  try {
    const number = /[0-9]+/.exec(fs.readlinkSync('/proc/self/ns/pid'))?.[0];
    const machine = bootId()?.slice(0, 8);
    namespace = number === undefined || machine === undefined ? UNKNOWN : machine + number;
  } catch {
    namespace = UNKNOWN;
  }
  return namespace;
}

export class TemporaryFile {
  readonly path: string;
  #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Throws the error of the system call, ENOENT when there is no such directory. */
  static create(directory: string): TemporaryFile {
    for (;;) {
      // The clock keeps apart processes of other machines and namespaces that share the directory and a number.
      const unique = (counter++).toString(36) + Math.floor(performance.timeOrigin * 1000).toString(36);
      const path = `${directory}/fetch.${pidNamespace()}.${process.pid}.${unique}`;
      try {
        return new TemporaryFile(path, fs.openSync(path, CREATE_FLAGS, 0o600));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  get fd(): number {
    return this.#fd;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#fd, bytes, at, bytes.length - at);
  }

  /** Closes it and moves it to its place, over what is there. `mode`: 0600 where not given. */
  commit(destination: string, mode?: number): void {
    if (this.#fd >= 0) {
      if (mode !== undefined) fs.fchmodSync(this.#fd, mode);
      seal(this.#fd);
    }
    this.#close();
    fs.renameSync(this.path, destination);
  }

  /** Removes it; nothing happens after `commit`. */
  discard(): void {
    try {
      this.#close();
    } catch {
      // what could not be written is not wanted
    }
    this.unlink();
  }

  /** Removes the name only. */
  unlink(): void {
    try {
      fs.unlinkSync(this.path);
    } catch {
      // moved or swept away
    }
  }

  #close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    fs.closeSync(fd);
  }
}

/**
 * Removes temporary files of processes that are gone: those of this machine and pid namespace at once, others when nobody has
 * written to them for half an hour. Should their process live after all, its transfer is repeated. Returns how many.
 */
export function sweepTemporaryFiles(directory: string, now = Date.now()): number {
  let removed = 0;
  let names: string[] = [];
  try {
    names = fs.readdirSync(directory);
  } catch {
    // no such directory: nothing was ever stored
  }
  for (const name of names) {
    try {
      const [, space, pid] = NAME.exec(name) ?? [];
      const dead = space !== UNKNOWN && space === pidNamespace() && !isAlive(Number(pid));
      if (!dead && now - fs.lstatSync(`${directory}/${name}`).mtimeMs < LEFTOVER_MS) continue;
      fs.unlinkSync(`${directory}/${name}`);
      removed++;
    } catch {
      // somebody else was faster
    }
  }
  return removed;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
