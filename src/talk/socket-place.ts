// Where the talk sockets of a repository are (client.md §9.4). The reference has one, cvmfs_io.<fqrn> in the workspace. Here
// any number of servers of one user share a workspace, so each listens under a name of its own,
//
//   cvmfs_io.<fqrn>.<host>-<random>
//
// and cvmfs_io.<fqrn> is a link to the one that was started last: scripts find a server under the name they know, and none
// takes another's socket away. A server that ends hands the link to another one that is left. Names carry the host,
// since a workspace may be on a file system that several share.
import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync, renameSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Younger sockets may belong to a server that is just about to listen. */
const SETTLED_MS = 10_000;

export class SocketPlace {
  readonly directory: string;
  /** The name that scripts know. */
  readonly name: string;
  readonly #host = createHash('sha1').update(hostname()).digest('hex').slice(0, 4);

  /** `path`: of the socket as the reference would make it. */
  constructor(path: string) {
    const slash = path.lastIndexOf('/');
    this.directory = path.slice(0, slash) || '/';
    this.name = path.slice(slash + 1);
  }

  /** A name that no other server has. */
  newName(): string {
    return `${this.name}.${this.#host}-${randomBytes(4).toString('hex')}`;
  }

  /** Names of all servers of this host, those that are gone among them; the one started last comes first. */
  servers(): string[] {
    const prefix = `${this.name}.${this.#host}-`;
    const found: { name: string; time: number }[] = [];
    for (const name of listed(this.directory)) {
      if (!name.startsWith(prefix)) continue;
      const time = timeOf(this.path(name));
      if (time !== undefined) found.push({ name, time });
    }
    return found.sort((a, b) => b.time - a.time).map(({ name }) => name);
  }

  /** Makes the known name lead to `name`, whatever it led to; atomically. */
  point(name: string): void {
    const temporary = this.path(`${this.newName()}~`);
    symlinkSync(name, temporary);
    try {
      renameSync(temporary, this.path(this.name));
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
  }

  /** What the known name leads to; undefined when it is no link, or not there. */
  pointed(): string | undefined {
    try {
      return readlinkSync(this.path(this.name));
    } catch {
      return undefined;
    }
  }

  /** Something that is not of ours has the known name: the socket of a reference client, perhaps. */
  isForeign(): boolean {
    try {
      return !lstatSync(this.path(this.name)).isSymbolicLink();
    } catch {
      return false;
    }
  }

  /** Takes the server's names away at its end. Never throws. */
  withdraw(name: string): void {
    remove(this.path(name));
    if (this.pointed() !== name) return;
    const [next] = this.servers();
    try {
      if (next) this.point(next);
      else remove(this.path(this.name));
    } catch {
      // whoever looks for a server looks further than the link
    }
  }

  /** A server that was killed left its socket. */
  removeStale(name: string): void {
    const time = timeOf(this.path(name));
    if (time !== undefined && Date.now() - time > SETTLED_MS) remove(this.path(name));
  }

  path(name: string): string {
    return `${this.directory}/${name}`;
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function timeOf(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // gone already
  }
}
