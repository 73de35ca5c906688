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
import type { ObjectStore } from '../objects/object.ts';
import { FLAG_DIRECT_IO, FLAG_HIDDEN } from '../repository/entry-flags.ts';
import { hashPath, newPathHash } from '../repository/path-hash.ts';
import type { AccessRecorder } from './access-recorder.ts';
import { type AttachedCatalog, databasePath } from './attached-catalog.ts';
import { isDirectory, isRegular, isSymlink } from './attributes.ts';
import { CatalogEntries, type EntryRules, type Located } from './catalog-entries.ts';
import { Directories, type Directory } from './directory.ts';
import { EACCES, EINVAL, EIO, ENODATA, ENOTDIR, ESTALE } from './errno.ts';
import { attributeNames, attributeValue } from './extended-attributes.ts';
import type { FileBundles } from './file-bundles.ts';
import { Listings } from './listings.ts';
import type { Membership } from './membership.ts';
import type { MountFacts } from './mount-facts.ts';
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

export interface RepositoryView extends EntryRules {
  /** Nodes of earlier revisions, as a journal has them. */
  readonly leftNodes?: readonly LeftNodeRecord[];
  readonly store: ObjectStore;
  readonly facts: MountFacts;
  /** Default: magic attributes are listed on the root directory, and everybody may read all. */
  readonly attributeRules?: AttributeRules;
  /** What is asked is counted there. */
  readonly counters?: RequestCounters;
  /** Prefetches what bundles list, where that is wanted. */
  readonly bundles?: FileBundles;
  /** Who may use it, where it is not for everybody. */
  readonly membership?: Membership;
  /** Told what the job uses, where that is wanted. */
  readonly recorder?: AccessRecorder;
}

/** A caller of whom nothing is known. */
const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 };

export class RepositoryOperations implements Operations {
  readonly #view: RepositoryView;
  readonly #entries: CatalogEntries;
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
    this.#entries = new CatalogEntries(view);
    this.#recorder = view.recorder;
    this.left = new LeftNodes((attached, entry) => this.#entries.describe(attached, entry), view.leftNodes);
    this.#sequential = new SequentialReads(view.store, this.#listings);
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
    this.forgetMetadata();
  }

  /** What was looked up in catalogs is looked up again when it is needed. */
  forgetMetadata(): void {
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
    return this.#entries.entry(directory.catalog, this.#entries.row(directory.catalog, rowid));
  }

  getattr(node: number, caller = NOBODY): Attributes {
    this.#view.membership?.check(caller);
    return this.#attributesOf(node);
  }

  readlink(node: number): Uint8Array {
    const located = this.#find(node);
    const target = located
      ? isSymlink(located.entry) && this.#entries.target(located.entry)
      : this.#leftNode(node).target;
    if (typeof target !== 'string') throw new Errno(EINVAL);
    if (located) this.#recorder?.link(node, this.#directories.above(located.attached, located.entry), located.entry);
    return Buffer.from(target, 'latin1');
  }

  open(node: number, _flags: number, caller: Caller): OpenFlags {
    this.#view.membership?.check(caller);
    const located = this.#find(node);
    check(this.#attributesOf(node, located), caller, READ);
    // Content under a node never changes: the kernel may keep its pages.
    const direct = ((located?.entry.flags ?? 0) & FLAG_DIRECT_IO) !== 0;
    return direct ? { directIo: true } : { keepCache: true };
  }

  opendir(node: number, caller: Caller): OpenFlags {
    this.#view.membership?.check(caller);
    const attributes = this.#attributesOf(node);
    if (!isDirectory(attributes)) throw new Errno(ENOTDIR);
    check(attributes, caller, READ);
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
    if (next === 0 && !sink.add('.', this.#entries.nameOnly(node), ++next)) return;
    if (next === 1 && !sink.add('..', this.#entries.nameOnly(directory.parentNode), ++next)) return;
    const { catalog } = directory;
    for (let i = listing.from(next); i < listing.rows.length; i++) {
      const entry = this.#entries.row(catalog, listing.rows[i]);
      if ((entry.flags & FLAG_HIDDEN) !== 0) continue;
      if (!sink.add(entry.name, this.#entries.entry(catalog, entry), listing.after(i))) return;
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
    return this.#entries.content(located, this.#directories.above(located.attached, located.entry));
  }

  access(node: number, mask: number, caller: Caller): void {
    check(this.#attributesOf(node), caller, mask & (READ | EXECUTE));
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
    return this.#listings.get(directory).rows.map((row) => this.#entries.row(directory.catalog, row).name);
  }

  #checkWithdrawn(): void {
    if (this.withdrawn !== undefined) throw new Errno(EIO);
  }

  /** undefined: it is not in this revision. */
  #find(node: number): Located | undefined {
    this.#checkWithdrawn();
    return this.#entries.find(node);
  }

  #locate(node: number): Located {
    const located = this.#find(node);
    if (!located) throw new Errno(ESTALE);
    return located;
  }

  #entryOf(node: number): Entry {
    const { attached, entry } = this.#locate(node);
    return { node, attributes: this.#entries.attributes(attached, entry) };
  }

  #attributesOf(node: number, located = this.#find(node)): Attributes {
    return located ? this.#entries.attributes(located.attached, located.entry) : this.#leftNode(node).attributes;
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

  #recorded(located: Located, directory: Directory): FileContent {
    const content = this.#entries.content(located, directory);
    return this.#recorder ? this.#recorder.file(directory, located.entry, content) : content;
  }
}

function check(attributes: Attributes, caller: Caller, mask: number): void {
  if (!mayAccess(attributes, caller, mask)) throw new Errno(EACCES);
}

function noData(): never {
  throw new Errno(ENODATA);
}
