// What an overlay's upper directory says was changed, as the kernel's overlayfs (mounted with userxattr) and fuse-overlayfs
// note it: a deleted name is a character device 0:0 or a file `.wh.NAME`; a directory that hides all that was in its place
// has an attribute or a file `.wh..wh..opq`. See docs/overlays.md.
import { type BigIntStats, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readXattrs, type XattrMap } from '../publish/xattr-scan.ts';
import { UpperError } from './errors.ts';

export interface Change {
  /** Below the overlay's root, one character a byte, without `/` at the beginning; '' is the root itself. */
  readonly path: string;
  /** `passed`: a directory that is here only for what is in it. */
  readonly kind: 'added' | 'modified' | 'deleted' | 'passed';
  /** A directory that hides what was in its place. */
  readonly opaque: boolean;
  /** Of what is in the upper; undefined for what was deleted. */
  readonly stats: BigIntStats | undefined;
  /** The job's own, without the engines'. */
  readonly xattrs: Readonly<Record<string, Uint8Array>>;
}

const ENGINE_XATTRS = /^user\.(?:overlay|fuseoverlayfs)\./;
const WHITEOUT = '.wh.';
const OPAQUE_FILE = '.wh..wh..opq';
/** fuse-overlayfs makes this one, too. */
const OPAQUE_DEVICE = '.wh..opq';

/** An upper directory on disk. */
export class Upper {
  /** Of `upper` itself, for system calls: bytes. */
  readonly prefix: Buffer;
  readonly #xattrs: XattrMap;
  /** Whether files `.wh.NAME` are marks: for the kernel they are files like any other. */
  readonly #namesAreMarks: boolean;

  private constructor(prefix: Buffer, xattrs: XattrMap, namesAreMarks: boolean) {
    this.prefix = prefix;
    this.#xattrs = xattrs;
    this.#namesAreMarks = namesAreMarks;
  }

  /**
   * Opens `directory`, which holds `upper` and was given to `--overlay`.
   * @throws UpperError NO_UPPER, NO_XATTRS
   */
  static async open(directory: string): Promise<Upper> {
    const path = join(directory, 'upper');
    try {
      if (!lstatSync(path).isDirectory()) throw new Error('it is not a directory');
    } catch (cause) {
      const hint = 'give the directory that was given to --overlay';
      throw new UpperError('NO_UPPER', `there is no upper directory in ${directory}: ${hint}`, cause);
    }
    const xattrs = await readXattrs(path);
    if (!xattrs) {
      const hint = "install getfattr (Debian's and Red Hat's package attr)";
      throw new UpperError('NO_XATTRS', `the marks in ${path} are extended attributes: ${hint}`);
    }
    return new Upper(Buffer.from(path), xattrs, engineOf(directory) !== 'kernel');
  }

  /** All that is in it, directories before what is in them, names in the order of their bytes. @throws UpperError UNREADABLE */
  *changes(): Generator<Change> {
    const root = this.#stat('');
    yield { path: '', kind: 'passed', opaque: this.#isOpaque('', []), stats: root, xattrs: this.#ownXattrs('') };
    yield* this.#below('');
  }

  /** The path of a change for system calls. */
  systemPath(path: string): Buffer {
    return path === '' ? this.prefix : Buffer.concat([this.prefix, Buffer.from(`/${path}`, 'latin1')]);
  }

  *#below(directory: string): Generator<Change> {
    const changes = this.#names(directory).flatMap((name) => this.#change(directory, name) ?? []);
    // In the order of the names that they are about, marks like the others.
    for (const change of changes.sort((a, b) => (a.path < b.path ? -1 : 1))) {
      yield change;
      if (change.stats?.isDirectory()) yield* this.#below(change.path);
    }
  }

  #change(directory: string, name: string): Change | undefined {
    const at = (last: string) => (directory === '' ? last : `${directory}/${last}`);
    const path = at(name);
    if (this.#namesAreMarks && name.startsWith(WHITEOUT)) {
      if (name === OPAQUE_FILE || name === OPAQUE_DEVICE) return undefined;
      return { path: at(name.slice(WHITEOUT.length)), kind: 'deleted', opaque: false, stats: undefined, xattrs: {} };
    }
    const stats = this.#stat(path);
    if (stats.isCharacterDevice() && stats.rdev === 0n) {
      return { path, kind: 'deleted', opaque: false, stats: undefined, xattrs: {} };
    }
    const xattrs = this.#ownXattrs(path);
    if (!stats.isDirectory()) {
      return { path, kind: this.#hasOrigin(path) ? 'modified' : 'added', opaque: false, stats, xattrs };
    }
    const names = this.#names(path);
    const opaque = this.#isOpaque(path, names);
    // fuse-overlayfs marks each new directory as opaque; the kernel each copied one as a copy.
    const made = opaque || !(this.#namesAreMarks || this.#hasOrigin(path));
    const kind = made ? 'added' : names.length > 0 ? 'passed' : 'modified';
    return { path, kind, opaque, stats, xattrs };
  }

  #isOpaque(path: string, names: readonly string[]): boolean {
    if (this.#namesAreMarks && names.includes(OPAQUE_FILE)) return true;
    const all = this.#xattrs.get(path === '' ? '' : `/${path}`);
    const marked = (name: string) => all?.[name] !== undefined && Buffer.from(all[name]).toString() === 'y';
    return marked('user.overlay.opaque') || marked('user.fuseoverlayfs.opaque');
  }

  /** Whether it is a copy of what was there. */
  #hasOrigin(path: string): boolean {
    const all = this.#xattrs.get(`/${path}`);
    return all?.['user.overlay.origin'] !== undefined || all?.['user.fuseoverlayfs.origin'] !== undefined;
  }

  #ownXattrs(path: string): Readonly<Record<string, Uint8Array>> {
    const all = this.#xattrs.get(path === '' ? '' : `/${path}`) ?? {};
    return Object.fromEntries(Object.entries(all).filter(([name]) => !ENGINE_XATTRS.test(name)));
  }

  #names(path: string): string[] {
    try {
      return readdirSync(this.systemPath(path), { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    } catch (cause) {
      throw unreadable(this.systemPath(path), cause);
    }
  }

  #stat(path: string): BigIntStats {
    try {
      return lstatSync(this.systemPath(path), { bigint: true });
    } catch (cause) {
      throw unreadable(this.systemPath(path), cause);
    }
  }
}

function unreadable(path: Buffer, cause: unknown): UpperError {
  return new UpperError('UNREADABLE', `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, cause);
}

/** Written by src/launcher/overlay/mount.sh. */
function engineOf(directory: string): string {
  try {
    return readFileSync(join(directory, 'engine'), 'latin1').trim();
  } catch {
    return '';
  }
}
