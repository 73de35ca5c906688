// Files of a repository by their path, read without a kernel. What is not local yet throws Pending, as everywhere in this
// layer: `whenLocal` (when-local.ts) tries again when it has come.
import {
  type Attributes,
  type Caller,
  type Entry,
  Errno,
  type Operations,
  Pending,
  ROOT_NODE,
} from '../fuse/operations.ts';

const TYPE_MASK = 0o170000;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const SYMLINK = 0o120000;
/** As Linux has it. */
const MAX_LINKS = 40;
/** Of a single file, bytes: this is for small ones. */
const MAX_SIZE = 1 << 22;
const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 };
const EISDIR = 21;
const EFBIG = 27;
const ELOOP = 40;

/** What went wrong with a file, in the form of Node's own errors. */
export class RepositoryFileError extends Error {
  override readonly name = 'RepositoryFileError';
  readonly code: string;

  constructor(path: string, errno: number) {
    const code = { [EISDIR]: 'EISDIR', [EFBIG]: 'EFBIG', [ELOOP]: 'ELOOP' }[errno] ?? 'EIO';
    super(`${code}: cannot read ${path}`);
    this.code = code;
  }
}

/** Paths are absolute within the repository, with symbolic links followed; those that lead out of it end nowhere. */
export class RepositoryFiles {
  readonly #operations: Operations;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  /** undefined: there is no such file. @throws Pending, RepositoryFileError */
  read(path: string): Buffer | undefined {
    return this.#guarded(path, () => {
      const found = this.#find(path);
      if (!found) return undefined;
      if (!isType(found.attributes, REGULAR)) throw new Errno(EISDIR);
      return this.#content(found);
    });
  }

  /** @throws Pending, RepositoryFileError */
  kind(path: string): 'file' | 'directory' | undefined {
    return this.#guarded(path, () => {
      const found = this.#find(path);
      if (!found) return undefined;
      return isType(found.attributes, DIRECTORY) ? 'directory' : 'file';
    });
  }

  /** Names in a directory without `.` and `..`; none where there is no such directory. @throws Pending, RepositoryFileError */
  list(path: string): string[] {
    return this.#guarded(path, () => {
      const found = this.#find(path);
      const names: string[] = [];
      if (!found || !isType(found.attributes, DIRECTORY)) return names;
      const add = (name: string): boolean => names.push(fromBytes(name)) > 0;
      this.#operations.readdir(found.node, 0, { add }, NOBODY);
      return names.filter((name) => name !== '.' && name !== '..');
    });
  }

  /** Has files fetched at once, as far as they are found; their failures show when they are read. */
  prefetch(paths: readonly string[]): void {
    for (const path of paths) {
      try {
        this.read(path);
      } catch (thrown) {
        if (thrown instanceof Pending) thrown.ready.catch(() => {});
      }
    }
  }

  #content({ node, attributes }: Entry): Buffer {
    if (attributes.size > MAX_SIZE) throw new Errno(EFBIG);
    const content = Buffer.alloc(attributes.size);
    const length = this.#operations.read(node, 0, content, NOBODY);
    return content.subarray(0, length);
  }

  #find(path: string): Entry | undefined {
    const operations = this.#operations;
    const rest = parts(toBytes(path)).reverse();
    const above: Entry[] = [];
    let current: Entry | undefined = { node: ROOT_NODE, attributes: operations.getattr(ROOT_NODE, NOBODY) };
    for (let links = 0; current && rest.length > 0; ) {
      const name = rest.pop() as string;
      if (name === '..') {
        current = above.pop() ?? current;
        continue;
      }
      if (!isType(current.attributes, DIRECTORY)) return undefined;
      const next: Entry | undefined = operations.lookup(current.node, name, NOBODY);
      if (next && isType(next.attributes, SYMLINK)) {
        if (++links > MAX_LINKS) throw new Errno(ELOOP);
        const target = Buffer.from(operations.readlink(next.node, NOBODY)).toString('latin1');
        if (target.startsWith('/')) return undefined;
        rest.push(...parts(target).reverse());
      } else {
        above.push(current);
        current = next;
      }
    }
    return current;
  }

  #guarded<Value>(path: string, get: () => Value): Value {
    try {
      return get();
    } catch (thrown) {
      if (thrown instanceof Errno) throw new RepositoryFileError(path, thrown.errno);
      throw thrown;
    }
  }
}

function isType({ mode }: Attributes, type: number): boolean {
  return (mode & TYPE_MASK) === type;
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** One byte a character, as the file system has names. */
function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function fromBytes(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}
