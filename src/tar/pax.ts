// Records of pax extended headers: `LENGTH KEY=VALUE\n`, where LENGTH counts all of it. They say what does not fit into the
// plain fields of a header.
import type { TarEntry } from './header.ts';

const XATTR = 'SCHILY.xattr.';

/**
 * The records that an entry needs, '' for none (Latin-1). Names that are not UTF-8 are written as they are, as GNU tar does
 * it, without `hdrcharset`, which it does not know.
 */
export function paxRecords(entry: TarEntry): string {
  let records = '';
  const path = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  if (path.length > 100 || !isAscii(path)) records += record('path', path);
  if (entry.target.length > 100 || !isAscii(entry.target)) records += record('linkpath', entry.target);
  if (entry.size > 0o77777777777) records += record('size', String(entry.size));
  if (entry.uid > 0o7777777) records += record('uid', String(entry.uid));
  if (entry.gid > 0o7777777) records += record('gid', String(entry.gid));
  if (entry.mtimeNs !== 0 || entry.mtime < 0n) records += record('mtime', timeText(entry));
  for (const [name, value] of [...entry.xattrs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    records += record(`${XATTR}${name}`, value.toString('latin1'));
  }
  return records;
}

/** Keys to values, both Latin-1; what breaks the rules ends the list. */
export function parsePaxRecords(data: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  const text = data.toString('latin1');
  for (let position = 0; position < text.length; ) {
    const blank = text.indexOf(' ', position);
    const length = Number(text.slice(position, blank));
    const line = text.slice(blank + 1, position + length - 1);
    const equals = line.indexOf('=');
    if (blank < 0 || !(length > 0) || equals < 1) break;
    records.set(line.slice(0, equals), line.slice(equals + 1));
    position += length;
  }
  return records;
}

/** The entry as its records say it is. */
export function withPaxRecords(entry: TarEntry, records: ReadonlyMap<string, string>): TarEntry {
  if (records.size === 0) return entry;
  const numberOf = (key: string, otherwise: number) => (records.has(key) ? Number(records.get(key)) : otherwise);
  const xattrs = [...records].filter(([key]) => key.startsWith(XATTR));
  const [, sign = '', seconds, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(records.get('mtime') ?? '') ?? [];
  let { mtime, mtimeNs } = entry;
  if (seconds !== undefined) {
    mtimeNs = Number(fraction.slice(0, 9).padEnd(9, '0'));
    mtime = BigInt(sign + seconds);
    if (sign !== '' && mtimeNs !== 0) {
      mtime -= 1n;
      mtimeNs = 1_000_000_000 - mtimeNs;
    }
  }
  return {
    ...entry,
    path: records.get('path') ?? entry.path,
    target: records.get('linkpath') ?? entry.target,
    size: numberOf('size', entry.size),
    uid: numberOf('uid', entry.uid),
    gid: numberOf('gid', entry.gid),
    mtime,
    mtimeNs,
    xattrs: new Map(xattrs.map(([key, value]) => [key.slice(XATTR.length), Buffer.from(value, 'latin1')])),
  };
}

function timeText({ mtime, mtimeNs }: TarEntry): string {
  if (mtimeNs === 0) return String(mtime);
  const [whole, fraction] = mtime < 0n ? [mtime + 1n, 1_000_000_000 - mtimeNs] : [mtime, mtimeNs];
  const sign = mtime < 0n && whole === 0n ? '-' : '';
  return `${sign}${whole}.${String(fraction).padStart(9, '0')}`;
}

/** LENGTH counts its own digits. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function isAscii(text: string): boolean {
  return !/[\x80-\xff]/.test(text);
}
