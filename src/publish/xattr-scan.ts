// Extended attributes of a tree. Node cannot read them, so the getfattr program does, once for the whole tree.
// Its output is records like "# file: /a/b", "user.x=0x626172", and an empty line; bytes that could be mistaken are
// written as backslash and three octal digits.
import { spawn } from 'node:child_process';
import { encodeXattrList } from '../repository/xattr-list.ts';
import { PublishError, reason } from './errors.ts';
import { type TreeEntry, walk } from './tree-entry.ts';

/** Path in the repository (Latin-1, '' is the root) to attributes. */
export type XattrMap = ReadonlyMap<string, Readonly<Record<string, Uint8Array>>>;

/** Attributes that mean something on another machine: labels, ACLs and overlay marks of this one do not. */
const PUBLISHED = /^(user\.|security\.capability$)/;
const FILE_LINE = '# file: ';

/**
 * Sets the attributes of the tree's entries.
 * @throws PublishError XATTR naming the entry whose attributes a catalog cannot hold (255 bytes, 255 attributes).
 */
export function applyXattrs(root: TreeEntry, xattrs: XattrMap): void {
  walk(root, (entry) => {
    const attributes = xattrs.get(entry.path);
    if (attributes === undefined) return;
    const list = new Map(Object.entries(attributes).map(([name, value]) => [name, Buffer.from(value)]));
    try {
      entry.xattrs = encodeXattrList(list);
    } catch (error) {
      throw new PublishError('XATTR', `cannot publish the attributes of ${entry.path || '/'}: ${reason(error)}`, error);
    }
  });
}

/** Reads the attributes of everything below `directory`; undefined when getfattr is not installed. */
export async function readXattrs(directory: string): Promise<XattrMap | undefined> {
  const options = ['-R', '-P', '-h', '-d', '-m', '-', '--absolute-names', '-e', 'hex', '--', directory];
  const child = spawn('getfattr', options, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  const output: Buffer[] = [];
  let complaint = '';
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => {
    complaint ||= data.toString().split('\n')[0]!;
  });
  const status = await new Promise<number | null | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', resolve);
  });
  if (status instanceof Error) {
    if ((status as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PublishError('XATTR', `cannot run getfattr: ${status.message}`, status);
  }
  // It ends with 1 also for sockets and dangling links, whose attributes nobody can read.
  if (status !== 0 && status !== 1) throw new PublishError('XATTR', `getfattr failed in ${directory}: ${complaint}`);
  return parseGetfattr(Buffer.concat(output).toString('latin1'), Buffer.from(directory).toString('latin1'));
}

/** `text` and `prefix` in Latin-1. Exported for its tests. */
export function parseGetfattr(text: string, prefix: string): XattrMap {
  const map = new Map<string, Record<string, Buffer>>();
  let attributes: Record<string, Buffer> = {};
  for (const line of text.split('\n')) {
    if (line.startsWith(FILE_LINE)) {
      attributes = {};
      map.set(unquote(line.slice(FILE_LINE.length)).slice(prefix.length), attributes);
    } else if (line !== '') {
      const equals = line.indexOf('=');
      const name = unquote(equals < 0 ? line : line.slice(0, equals));
      const value = equals < 0 ? '' : line.slice(equals + 1).replace(/^0x/, '');
      if (PUBLISHED.test(name)) attributes[name] = Buffer.from(value, 'hex');
    }
  }
  for (const [path, found] of map) if (Object.keys(found).length === 0) map.delete(path);
  return map;
}

function unquote(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
