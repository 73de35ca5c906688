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
  ROOT_NODE,
} from '../fuse/operations.ts';
import type { ObjectRequest, ObjectStore } from '../objects/object.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import { FLAG_CHUNKED, FLAG_DIRECT_IO, FLAG_EXTERNAL, FLAG_HIDDEN } from '../repository/entry-flags.ts';
import { hashPath, newPathHash } from '../repository/path-hash.ts';
import { expandVariables } from '../repository/variant-symlink.ts';
import type { AccessRecorder } from './access-recorder.ts';
import { type AttachedCatalog, databasePath, pathInCatalog } from './attached-catalog.ts';
import { attributesOf, DIRECTORY, isDirectory, isRegular, isSymlink, type OwnershipRules } from './attributes.ts';
import type { CatalogTree } from './catalog-tree.ts';
import { Directories, type Directory } from './directory.ts';
import { EACCES, EINVAL, EIO, ENODATA, ENOTDIR, ESTALE } from './errno.ts';
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
import type { LeftNode, LeftNodeRecord } from './revision/left-node.ts';
import { LeftNodes } from './revision/left-nodes.ts';
import { SequentialReads } from './sequential-reads.ts';
import { statusOf } from './space.ts';
import { type AttributeRules, DEFAULT_RULES } from './xattrs/access-rules.ts';
import { CachedContent } from './xattrs/cached-content.ts';
import type { Subject } from './xattrs/magic.ts';
import { Metainfo } from './xattrs/metainfo.ts';

export interface RepositoryView {
  readonly tree: CatalogTree;
  /** Nodes of earlier revisions, as a journal has them. */
  readonly leftNodes?: readonly LeftNodeRecord[];
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
  /** Nodes that are not in the present revision any more. */
  readonly left: LeftNodes;
  /** Why nothing may be read any more; every request fails then. */
  withdrawn: string | undefined;

  constructor(view: RepositoryView) {
    this.#view = view;
    this.#recorder = view.recorder;
    this.left = new LeftNodes((attached, entry) => this.#describe(attached, entry), view.leftNodes);
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

  /** The tree has gone over to another revision; `replaced` are the catalogs that are no longer part of it. */
  revisionChanged(replaced: readonly AttachedCatalog[]): void {
    this.left.replaced(replaced);
    this.#directories.clear();
    this.#listings.clear();
    this.#sequential.clear();
  }

  lookup(parent: number, name: string): Entry | undefined {
    this.#checkWithdrawn();
    if (this.left.any && this.#leftDirectory(parent)) return undefined;
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
    return this.#attributesOf(node);
  }

  readlink(node: number): Uint8Array {
    const located = this.#find(node);
    const target = located ? isSymlink(located.entry) && this.#target(located.entry) : this.#leftNode(node).target;
    if (typeof target !== 'string') throw new Errno(EINVAL);
    if (located) this.#recorder?.link(node, this.#directories.above(located.attached, located.entry), located.entry);
    return Buffer.from(target, 'latin1');
  }

  open(node: number, _flags: number, caller: Caller): OpenFlags {
    this.#view.membership?.check(caller);
    this.#check(node, caller, READ);
    // Content under a node never changes: the kernel may keep its pages.
    const direct = ((this.#find(node)?.entry.flags ?? 0) & FLAG_DIRECT_IO) !== 0;
    return direct ? { directIo: true } : { keepCache: true };
  }

  opendir(node: number, caller: Caller): OpenFlags {
    this.#view.membership?.check(caller);
    if (!isDirectory(this.#attributesOf(node))) throw new Errno(ENOTDIR);
    this.#check(node, caller, READ);
    return { keepCache: true };
  }

  read(node: number, offset: number, target: Uint8Array): number {
    this.#checkWithdrawn();
    const known = this.#files.get(node);
    if (known) return this.#files.read(known, offset, target);
    const located = this.#find(node);
    if (!located) return this.#readLeft(node, offset, target);
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
    this.#checkWithdrawn();
    // A directory that was removed is empty for those who are still in it.
    if (this.left.any && this.#leftDirectory(node)) return;
    const directory = this.#directories.get(node);
    this.#recorder?.directory(directory);
    const listing = this.#listings.get(directory);
    let next = offset;
    if (next === 0) this.#counters.directoryOpens++;
    if (next === 0 && !sink.add('.', this.#nameOnly(node), ++next)) return;
    if (next === 1 && !sink.add('..', this.#nameOnly(directory.parentNode), ++next)) return;
    const { catalog } = directory;
    for (let i = listing.from(next); i < listing.rows.length; i++) {
      const entry = this.#row(catalog, listing.rows[i]);
      if ((entry.flags & FLAG_HIDDEN) !== 0) continue;
      if (!sink.add(entry.name, this.#entry(catalog, entry), listing.after(i))) return;
    }
  }

  statfs(): FileSystemStatus {
    const { tree, facts } = this.#view;
    return statusOf(tree, facts.cache());
  }

  getxattr(node: number, name: string, caller: Caller): Uint8Array {
    this.#view.membership?.check(caller);
    if (!this.#find(node)) return this.#leftNode(node).xattrs.get(name) ?? noData();
    return attributeValue(this.#subject(node), name, caller, this.#view.attributeRules ?? DEFAULT_RULES);
  }

  listxattr(node: number): string[] {
    if (!this.#find(node)) return [...this.#leftNode(node).xattrs.keys()];
    return attributeNames(this.#subject(node), this.#view.attributeRules ?? DEFAULT_RULES);
  }

  /** The objects that make up a regular file. Throws as `read` does. */
  contentOf(node: number): FileContent {
    const located = this.#locate(node);
    if (!isRegular(located.entry)) throw new Errno(EINVAL);
    return this.#content(located, this.#directories.above(located.attached, located.entry));
  }

  access(node: number, mask: number, caller: Caller): void {
    this.#check(node, caller, mask & (READ | EXECUTE));
  }

  close(): void {
    this.#files.close();
    this.left.settle();
    this.#view.tree.close();
  }

  #subject(node: number): Subject {
    const { tree, facts } = this.#view;
    const [directories, cachedContent, metainfo] = [this.#directories, this.#cachedContent, this.#metainfo];
    return { node, tree, facts, directories, cachedContent, metainfo, ...this.#locate(node) };
  }

  /** Names in the root directory, hidden ones included. */
  rootNames(): string[] {
    const directory = this.#directories.get(ROOT_NODE);
    return this.#listings.get(directory).rows.map((row) => this.#row(directory.catalog, row).name);
  }

  #checkWithdrawn(): void {
    if (this.withdrawn !== undefined) throw new Errno(EIO);
  }

  #check(node: number, caller: Caller, mask: number): void {
    if (!mayAccess(this.#attributesOf(node), caller, mask)) throw new Errno(EACCES);
  }

  /** undefined: it is not in this revision. */
  #find(node: number): Located | undefined {
    this.#checkWithdrawn();
    const place = this.#view.tree.locate(node);
    return place && { attached: place.attached, entry: this.#row(place.attached, place.row) };
  }

  #locate(node: number): Located {
    const located = this.#find(node);
    if (!located) throw new Errno(ESTALE);
    return located;
  }

  #attributesOf(node: number): Attributes {
    const located = this.#find(node);
    return located ? this.#attributes(located.attached, located.entry) : this.#leftNode(node).attributes;
  }

  #leftNode(node: number): LeftNode {
    const left = this.left.get(node);
    if (!left) throw new Errno(ESTALE);
    return left;
  }

  #leftDirectory(node: number): boolean {
    return !this.#view.tree.locate(node) && isDirectory(this.#leftNode(node).attributes);
  }

  #readLeft(node: number, offset: number, target: Uint8Array): number {
    const { content } = this.#leftNode(node);
    if (!content) throw new Errno(EINVAL);
    return this.#files.read(this.#files.remember(node, content), offset, target);
  }

  /** All that can be asked of a node, for when its catalog is gone. */
  #describe(attached: AttachedCatalog, entry: CatalogEntry): LeftNode {
    return {
      attributes: this.#attributes(attached, entry),
      target: isSymlink(entry) ? this.#target(entry) : undefined,
      content: isRegular(entry) ? contentOf(attached, entry, pathInCatalog(attached, entry)) : undefined,
      xattrs: attached.catalog.xattrs(entry.rowid),
    };
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

function noData(): never {
  throw new Errno(ENODATA);
}
