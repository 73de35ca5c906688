// The FUSE operations over a mounted repository: synchronous, from catalogs and local objects; what is missing is
// fetched by whoever throws Pending, and the operation is then run again from its start.
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
} from '../fuse/operations.ts';
import type { ObjectRequest, ObjectStore } from '../objects/object.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { FLAG_CHUNKED, FLAG_DIRECT_IO, FLAG_EXTERNAL, FLAG_HIDDEN } from '../repository/entry-flags.ts';
import { hashPath, newPathHash } from '../repository/path-hash.ts';
import { expandVariables } from '../repository/variant-symlink.ts';
import type { AccessRecorder } from './access-recorder.ts';
import { type AttachedCatalog, databasePath } from './attached-catalog.ts';
import { attributesOf, DIRECTORY, isDirectory, isRegular, isSymlink, type OwnershipRules } from './attributes.ts';
import type { CatalogTree } from './catalog-tree.ts';
import { Directories, type Directory } from './directory.ts';
import { EACCES, EINVAL, EIO, ENOTDIR, ESTALE } from './errno.ts';
import { attributeNames, attributeValue } from './extended-attributes.ts';
import type { FileBundles } from './file-bundles.ts';
import { contentOf } from './file-content.ts';
import { Listings } from './listings.ts';
import type { Membership } from './membership.ts';
import type { MountFacts } from './mount-facts.ts';
import { MAX_GROUP } from './node-id.ts';
import { type FileContent, OpenFiles } from './open-files.ts';
import { contentAt } from './path-content.ts';
import { EXECUTE, mayAccess, READ } from './permissions.ts';
import { RequestCounters } from './request-counters.ts';
import { SequentialReads } from './sequential-reads.ts';
import { statusOf } from './space.ts';
import { type AttributeRules, DEFAULT_RULES } from './xattrs/access-rules.ts';
import { CachedContent } from './xattrs/cached-content.ts';
import type { Subject } from './xattrs/magic.ts';
import { Metainfo } from './xattrs/metainfo.ts';

export interface RepositoryView {
  readonly tree: CatalogTree;
  readonly store: ObjectStore;
  readonly facts: MountFacts;
  /** Default: magic attributes are listed on the root directory, and everybody may read all. */
  readonly attributeRules?: AttributeRules;
  /** What is asked is counted there. */
  readonly counters?: RequestCounters;
  readonly ownership: OwnershipRules;
  /** Values of `$(NAME)` in symlinks. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Gets a line for each error that a user of the mount sees as EIO. */
  readonly report: (message: string) => void;
  /** Prefetches what bundles list, where that is wanted. */
  readonly bundles?: FileBundles;
  /** Who may use it, where it is not for everybody. */
  readonly membership?: Membership;
  /** Told what the job uses, where that is wanted. */
  readonly recorder?: AccessRecorder;
}

/** Bytes up to which a file is fetched ahead of its reader. */
const SMALL_FILE = 512 * 1024;
const NOT_SMALL = FLAG_CHUNKED | FLAG_EXTERNAL | FLAG_DIRECT_IO;

const NO_ATTRIBUTES: Attributes = {
  ino: 0,
  size: 0,
  blocks: 0,
  mtime: 0,
  mtimeNs: 0,
  mode: DIRECTORY,
  nlink: 0,
  uid: 0,
  gid: 0,
  rdev: 0,
};

/** A caller of whom nothing is known. */
const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 };

/** A row together with the catalog it is in. */
interface Located {
  readonly attached: AttachedCatalog;
  readonly entry: CatalogEntry;
}

export class RepositoryOperations implements Operations {
  readonly #view: RepositoryView;
  readonly #directories: Directories;
  readonly #listings = new Listings();
  readonly #files: OpenFiles;
  readonly #sequential: SequentialReads;
  readonly #hash = newPathHash();
  readonly #recorder: AccessRecorder | undefined;
  readonly #counters: RequestCounters;
  readonly #cachedContent: CachedContent;
  readonly #metainfo: Metainfo;

  constructor(view: RepositoryView) {
    this.#view = view;
    this.#recorder = view.recorder;
    this.#sequential = new SequentialReads(view.store, this.#listings, (directory, rowid) =>
      this.#smallFile(directory, rowid),
    );
    this.#directories = new Directories(view.tree);
    this.#files = new OpenFiles(view.store);
    this.#counters = view.counters ?? new RequestCounters();
    this.#counters.openFiles = () => this.#files.openObjects;
    this.#cachedContent = new CachedContent(view.store);
    this.#metainfo = new Metainfo(view.store);
  }

  lookup(parent: number, name: string): Entry | undefined {
    const directory = this.#directories.get(parent);
    this.#recorder?.directory(directory);
    if (name === '.') return this.#entryOf(directory.node);
    if (name === '..') return this.#entryOf(directory.parentNode);
    const { catalog } = directory.catalog;
    hashPath(databasePath(directory.catalog, `${directory.path}/${name}`), this.#hash);
    const rowid = catalog.lookup(this.#hash);
    if (rowid === 0) return undefined;
    return this.#entry(directory.catalog, this.#row(directory.catalog, rowid));
  }

  getattr(node: number, caller = NOBODY): Attributes {
    this.#view.membership?.check(caller);
    const { attached, entry } = this.#locate(node);
    return this.#attributes(attached, entry);
  }

  readlink(node: number): Uint8Array {
    const { attached, entry } = this.#locate(node);
    if (!isSymlink(entry)) throw new Errno(EINVAL);
    this.#recorder?.link(node, this.#directories.above(attached, entry), entry);
    return Buffer.from(this.#target(entry), 'latin1');
  }

  open(node: number, _flags: number, caller: Caller): OpenFlags {
    this.#view.membership?.check(caller);
    const located = this.#locate(node);
    this.#check(located, caller, READ);
    // Content under a node never changes: the kernel may keep its pages.
    return (located.entry.flags & FLAG_DIRECT_IO) !== 0 ? { directIo: true } : { keepCache: true };
  }

  opendir(node: number, caller: Caller): OpenFlags {
    this.#view.membership?.check(caller);
    const located = this.#locate(node);
    if (!isDirectory(located.entry)) throw new Errno(ENOTDIR);
    this.#check(located, caller, READ);
    return { keepCache: true };
  }

  read(node: number, offset: number, target: Uint8Array): number {
    const known = this.#files.get(node);
    if (known) return this.#files.read(known, offset, target);
    const located = this.#locate(node);
    const directory = this.#directories.above(located.attached, located.entry);
    const content = this.#files.remember(node, this.#recorded(located, directory));
    this.#counters.opens++;
    this.#view.bundles?.opened(directory, located.entry.name, (path) => contentAt(this, path));
    try {
      const length = this.#files.read(content, offset, target);
      if (this.#sequential.isWatched(directory.node)) this.#sequential.note(directory, located.entry.rowid);
      return length;
    } catch (thrown) {
      if (thrown instanceof Pending) this.#sequential.note(directory, located.entry.rowid);
      throw thrown;
    }
  }

  readdir(node: number, offset: number, sink: DirectorySink): void {
    const directory = this.#directories.get(node);
    this.#recorder?.directory(directory);
    const rows = this.#listings.get(directory);
    let next = offset;
    if (next === 0) this.#counters.directoryOpens++;
    if (next === 0 && !sink.add('.', this.#nameOnly(node), ++next)) return;
    if (next === 1 && !sink.add('..', this.#nameOnly(directory.parentNode), ++next)) return;
    const { catalog } = directory;
    for (let i = next - 2; i < rows.length; i++) {
      const entry = this.#row(catalog, rows[i]);
      if ((entry.flags & FLAG_HIDDEN) !== 0) continue;
      if (!sink.add(entry.name, this.#entry(catalog, entry), i + 3)) return;
    }
  }

  statfs(): FileSystemStatus {
    const { tree, facts } = this.#view;
    return statusOf(tree, facts.cache());
  }

  getxattr(node: number, name: string, caller: Caller): Uint8Array {
    this.#view.membership?.check(caller);
    return attributeValue(this.#subject(node), name, caller, this.#view.attributeRules ?? DEFAULT_RULES);
  }

  listxattr(node: number): string[] {
    return attributeNames(this.#subject(node), this.#view.attributeRules ?? DEFAULT_RULES);
  }

  /** The objects that make up a regular file. Throws as `read` does. */
  contentOf(node: number): FileContent {
    const located = this.#locate(node);
    if (!isRegular(located.entry)) throw new Errno(EINVAL);
    return this.#content(located, this.#directories.above(located.attached, located.entry));
  }

  access(node: number, mask: number, caller: Caller): void {
    this.#check(this.#locate(node), caller, mask & (READ | EXECUTE));
  }

  close(): void {
    this.#files.close();
    this.#view.tree.close();
  }

  #subject(node: number): Subject {
    const { tree, facts } = this.#view;
    const [directories, cachedContent, metainfo] = [this.#directories, this.#cachedContent, this.#metainfo];
    return { node, tree, facts, directories, cachedContent, metainfo, ...this.#locate(node) };
  }

  #check({ attached, entry }: Located, caller: Caller, mask: number): void {
    if (!mayAccess(this.#attributes(attached, entry), caller, mask)) throw new Errno(EACCES);
  }

  #locate(node: number): Located {
    const place = this.#view.tree.locate(node);
    if (!place) throw new Errno(ESTALE);
    return { attached: place.attached, entry: this.#row(place.attached, place.row) };
  }

  #row(attached: AttachedCatalog, rowid: number): CatalogEntry {
    const entry = attached.catalog.row(rowid);
    if (!entry) {
      this.#view.report(`damaged catalog of ${attached.mountpoint || '/'}: row ${rowid} is missing`);
      throw new Errno(EIO);
    }
    return entry;
  }

  /** What a listing shows of "." and "..": of these two the kernel takes only inode number and type. */
  #nameOnly(node: number): Entry {
    const place = this.#view.tree.locate(node);
    if (!place) throw new Errno(ESTALE);
    return { node, attributes: { ...NO_ATTRIBUTES, ino: place.attached.nodes.inodeOfRow(place.row) } };
  }

  #entryOf(node: number): Entry {
    const { attached, entry } = this.#locate(node);
    return { node, attributes: this.#attributes(attached, entry) };
  }

  #entry(attached: AttachedCatalog, entry: CatalogEntry): Entry {
    const group = entry.hardlinkGroup;
    if (group === 0 || group > MAX_GROUP) {
      return { node: attached.nodes.nodeOfRow(entry.rowid), attributes: this.#attributes(attached, entry) };
    }
    if (!attached.groupRows.has(group)) this.#view.tree.noteGroup(attached, group, entry.rowid);
    return { node: attached.nodes.nodeOfGroup(group), attributes: this.#attributes(attached, entry) };
  }

  #attributes(attached: AttachedCatalog, entry: CatalogEntry): Attributes {
    const linkSize = isSymlink(entry) ? this.#target(entry).length : 0;
    return attributesOf(entry, attached, this.#view.ownership, linkSize);
  }

  #target(entry: CatalogEntry): string {
    return expandVariables(entry.symlink, this.#view.variables);
  }

  #recorded(located: Located, directory: Directory): FileContent {
    const content = this.#content(located, directory);
    return this.#recorder ? this.#recorder.file(directory, located.entry, content) : content;
  }

  #content({ attached, entry }: Located, directory: Directory): FileContent {
    if (!isRegular(entry)) throw new Errno(EINVAL);
    return contentOf(attached, entry, `${directory.path}/${entry.name}`);
  }

  #smallFile(directory: Directory, rowid: number): ObjectRequest | undefined {
    const attached = directory.catalog;
    const entry = attached.catalog.row(rowid);
    if (!entry || !isRegular(entry) || entry.size > SMALL_FILE || (entry.flags & NOT_SMALL) !== 0) return undefined;
    return contentOf(attached, entry, `${directory.path}/${entry.name}`).pieces[0]?.request;
  }
}
