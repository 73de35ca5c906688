// A directory whose entries are mount points that appear when somebody goes there: /cvmfs of a job with `--auto`. It is a
// file system of its own, and each repository is mounted on a directory in it.
//
// Nothing may be mounted while the first LOOKUP of a name waits, since mount(8) has to look the name up as well. So the LOOKUP is
// answered as soon as it is known whether there is such a repository. All that the kernel wants to know of the bare directory
// then, before it lets anybody in, waits until something is mounted on it, and is answered with ESTALE: the kernel
// walks the path once more, and now crosses into the mount. So already the first system call finds the repository.
import {
  type Attributes,
  type Caller,
  type DirectorySink,
  type Entry,
  Errno,
  type FileSystemStatus,
  type OpenFlags,
  type Operations,
  Pending,
  ROOT_NODE,
} from '../fuse/operations.ts';
import { DIRECTORY } from './attributes.ts';
import { EINVAL, ENODATA, ENOENT, ESTALE } from './errno.ts';

export interface MountPointsHost {
  /** Could there be something of this name? If not, the kernel is told so for good. */
  mayBe(name: string): boolean;
  /** Begins to mount it. Resolves to whether there is such a thing, before anything is mounted. Never rejects. */
  find(name: string): Promise<boolean>;
  /** Resolves when it is mounted, or cannot be; begins with it where `find` has not. Never rejects. */
  mounted(name: string): Promise<void>;
  /** Notes a name so that a server that comes after this one numbers them alike. */
  note(name: string): void;
}

interface MountPoint {
  readonly name: string;
  readonly node: number;
  /** Something is mounted on it. */
  covered: boolean;
  /** Process that mounts it: finds the bare directory. */
  mounter?: number;
}

const FIRST_NODE = ROOT_NODE + 1;
const MODE = DIRECTORY | 0o555;
/** How many names that do not exist are remembered, and for how long. */
const ABSENT_MAX = 1000;
const ABSENT_MS = 60_000;
const NOW = Math.floor(Date.now() / 1000);

export class MountPoints implements Operations {
  readonly #host: MountPointsHost;
  readonly #points: MountPoint[] = [];
  readonly #byName = new Map<string, MountPoint>();
  /** Until when, by performance.now(). */
  readonly #absent = new Map<string, number>();

  /** @param names those of the servers before, in order */
  constructor(host: MountPointsHost, names: readonly string[]) {
    this.#host = host;
    for (const name of names) this.#add(name);
  }

  /** Makes the place to mount upon. */
  expect(name: string): void {
    if (this.#byName.has(name)) return;
    this.#host.note(name);
    this.#add(name);
  }

  /** Process `mounter` mounts on it. */
  mounting(name: string, mounter: number): void {
    const point = this.#byName.get(name);
    if (point) point.mounter = mounter;
  }

  setCovered(name: string, covered: boolean): void {
    const point = this.#byName.get(name);
    if (!point) return;
    point.covered = covered;
    point.mounter = undefined;
    if (covered) this.#absent.delete(name);
  }

  lookup(parent: number, name: string, caller: Caller): Entry | undefined {
    if (parent !== ROOT_NODE) {
      this.#cross(parent, caller);
      throw new Errno(ENOENT);
    }
    if (name === '.' || name === '..')
      return { node: ROOT_NODE, attributes: attributes(ROOT_NODE, this.#points.length) };
    if (this.#isAbsent(name)) throw new Errno(ENOENT);
    const point = this.#byName.get(name);
    if (point) return { node: point.node, attributes: attributes(point.node, 0) };
    if (!this.#host.mayBe(name)) return undefined;
    throw new Pending(this.#find(name));
  }

  getattr(node: number, caller: Caller): Attributes {
    this.#cross(node, caller);
    return attributes(node, this.#points.length);
  }

  opendir(node: number, caller: Caller): OpenFlags {
    this.#cross(node, caller);
    return {};
  }

  /** Only what is mounted: nobody knows what else there could be. */
  readdir(node: number, offset: number, sink: DirectorySink, caller: Caller): void {
    this.#cross(node, caller);
    const self = { node, attributes: attributes(node, 0) };
    if (offset < 1 && !sink.add('.', self, 1)) return;
    if (offset < 2 && !sink.add('..', self, 2)) return;
    if (node !== ROOT_NODE) return;
    for (let i = Math.max(0, offset - 2); i < this.#points.length; i++) {
      const { name, node: child, covered } = this.#points[i];
      if (covered && !sink.add(name, { node: child, attributes: attributes(child, 0) }, i + 3)) return;
    }
  }

  statfs(node: number): FileSystemStatus {
    this.#cross(node, NOBODY);
    return { blocks: 0, blocksFree: 0, files: 0, filesFree: 0, blockSize: 4096, nameLength: 255 };
  }

  access(node: number, _mask: number, caller: Caller): void {
    this.#cross(node, caller);
  }

  getxattr(node: number, _name: string, caller: Caller): Uint8Array {
    this.#cross(node, caller);
    throw new Errno(ENODATA);
  }

  listxattr(node: number, caller: Caller): string[] {
    this.#cross(node, caller);
    return [];
  }

  readlink(): Uint8Array {
    throw new Errno(EINVAL);
  }

  open(): OpenFlags {
    throw new Errno(EINVAL);
  }

  read(): number {
    throw new Errno(EINVAL);
  }

  /** Returns for the directory of all, and for whoever mounts; all others do not get past here. */
  #cross(node: number, { pid }: Caller): void {
    if (node === ROOT_NODE) return;
    const point = this.#points[node - FIRST_NODE];
    if (point === undefined) throw new Errno(ESTALE);
    if (point.mounter !== undefined && point.mounter === pid) return;
    // The LOOKUP that follows says that it does not exist.
    if (point.covered || this.#isAbsent(point.name)) throw new Errno(ESTALE);
    throw new Pending(this.#mounted(point));
  }

  async #find(name: string): Promise<void> {
    if (await this.#host.find(name)) this.expect(name);
    else this.#setAbsent(name);
  }

  async #mounted({ name }: MountPoint): Promise<void> {
    await this.#host.mounted(name);
    if (!this.#byName.get(name)?.covered) this.#setAbsent(name);
  }

  #isAbsent(name: string): boolean {
    const until = this.#absent.get(name);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#absent.delete(name);
    return false;
  }

  #setAbsent(name: string): void {
    if (this.#absent.size >= ABSENT_MAX) this.#absent.clear();
    this.#absent.set(name, performance.now() + ABSENT_MS);
  }

  #add(name: string): void {
    const point: MountPoint = { name, node: FIRST_NODE + this.#points.length, covered: false };
    this.#points.push(point);
    this.#byName.set(name, point);
  }
}

const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 };

/** Of the directory of all they hold for good; of those in it everybody who comes by must ask. */
function attributes(node: number, entries: number): Attributes {
  const root = node === ROOT_NODE;
  return {
    ino: node,
    size: 0,
    blocks: 0,
    mtime: NOW,
    mtimeNs: 0,
    mode: MODE,
    nlink: root ? 2 + entries : 2,
    uid: 0,
    gid: 0,
    rdev: 0,
    ...(root ? {} : { volatile: true }),
  };
}
