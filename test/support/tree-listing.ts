// What is in a directory tree, entry by entry, in the form of the reference's listings (one JSON object a line), to
// compare a mount against.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ListingEntry {
  /** '/' or '/a/b'; Latin-1 where it is not UTF-8, then `path_b64` has the bytes. */
  path: string;
  path_b64?: string;
  type: 'dir' | 'file' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';
  /** Permission bits, octal. */
  mode: string;
  uid: number;
  gid: number;
  /** Files and symlinks. */
  size?: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Only when not 0. */
  mtime_ns?: number;
  /** Not of directories. */
  nlink?: number;
  /** Symlinks, variables expanded in an empty environment. */
  target?: string;
  target_b64?: string;
  /** Symlinks with variables. */
  raw_target?: string;
  rdev?: [number, number];
  sha256?: string;
  /** Base64. */
  xattrs?: Record<string, string>;
}

// A Map, since the formatter rewrites octal object keys wrongly.
const TYPES: ReadonlyMap<number, ListingEntry['type']> = new Map([
  [0o040000, 'dir'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o020000, 'char'],
  [0o060000, 'block'],
]);

export type ListingXattrs = ReadonlyMap<string, Readonly<Record<string, Uint8Array>>>;

/** Lists a tree as its repository has to show it: sorted by path, hard links broken up between directories. */
export function listTree(directory: string, xattrs: ListingXattrs = new Map()): ListingEntry[] {
  const entries: { path: string; entry: ListingEntry }[] = [];
  const prefix = Buffer.from(directory);
  const visit = (path: string, names: Map<string, number>) => {
    const location = Buffer.concat([prefix, Buffer.from(path, 'latin1')]);
    const entry = describe(location, path, names);
    const attributes = Object.entries(xattrs.get(path) ?? {});
    if (attributes.length > 0) {
      entry.xattrs = Object.fromEntries(
        attributes.map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
      );
    }
    entries.push({ path, entry });
    if (entry.type !== 'dir') return;
    const children = readdirSync(location, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    const links = countNames(location, children);
    for (const child of children) visit(`${path}/${child}`, links);
  };
  visit('', new Map());
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ entry }) => entry);
}

/** Lines for the program that compares a mount with a listing. */
export function formatListing(entries: readonly ListingEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

function describe(location: Buffer, path: string, names: Map<string, number>): ListingEntry {
  const stats = lstatSync(location, { bigint: true });
  const type = TYPES.get(Number(stats.mode & 0o170000n))!;
  const ns = Number(((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  const bytes = Buffer.from(path, 'latin1');
  const utf8 = bytes.toString();
  const isUtf8 = Buffer.from(utf8).equals(bytes);
  const entry: ListingEntry = {
    path: (isUtf8 ? utf8 : path) || '/',
    type,
    mode: `0${Number(stats.mode & 0o7777n).toString(8)}`,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: Number((stats.mtimeNs - BigInt(ns)) / 1_000_000_000n),
  };
  if (!isUtf8) entry.path_b64 = bytes.toString('base64');
  if (ns !== 0) entry.mtime_ns = ns;
  if (type !== 'dir') entry.nlink = type === 'file' ? (names.get(String(stats.ino)) ?? 1) : 1;
  if (type === 'file') {
    const content = readFileSync(location);
    entry.size = content.length;
    entry.sha256 = createHash('sha256').update(content).digest('hex');
  }
  if (type === 'symlink') describeSymlink(entry, readlinkSync(location, { encoding: 'buffer' }));
  if (type === 'char' || type === 'block') entry.rdev = deviceNumbers(stats.rdev);
  return entry;
}

function describeSymlink(entry: ListingEntry, raw: Buffer): void {
  const bytes = raw.toString('latin1');
  const expanded = bytes.replace(/\$\(([^)]*)\)/g, (_, text: string) => /:-(.*)$/s.exec(text)?.[1] ?? '');
  const target = Buffer.from(expanded, 'latin1');
  entry.target = target.toString();
  if (!Buffer.from(entry.target).equals(target)) entry.target_b64 = target.toString('base64');
  if (expanded !== bytes) entry.raw_target = raw.toString();
  entry.size = expanded.length;
}

function deviceNumbers(rdev: bigint): [number, number] {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}

/** How many names of a directory each file with several of them has. */
function countNames(directory: Buffer, names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    const stats = lstatSync(Buffer.concat([directory, Buffer.from('/'), Buffer.from(name, 'latin1')]), {
      bigint: true,
    });
    if (!stats.isFile() || stats.nlink < 2n) continue;
    counts.set(String(stats.ino), (counts.get(String(stats.ino)) ?? 0) + 1);
  }
  return counts;
}
