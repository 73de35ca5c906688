// The record of a run: one JSON object a line, each telling of something in a repository that a job used. In every line
//
//   type        "catalog", "directory", "file" or "link"
//   repository  its fully qualified name
//   path        from the repository's root on; "/" is the root itself
//   path_b64    the same in base64, instead of `path` where that is not UTF-8
//
// and besides, by type,
//
//   catalog     hash: of the file catalog attached at the path; revision: the catalog's own number
//   directory   nothing: names were looked up in it, or it was listed
//   file        hash: of the object that was read; offset, size: bytes of a chunked file that are that object
//   link        target: as published, or target_b64
//
// Lines may come in any order and more than once; what a reader does not know it leaves alone.

export interface RecordedCatalog {
  readonly type: 'catalog';
  readonly hash: string;
  readonly revision: number;
}

export interface RecordedDirectory {
  readonly type: 'directory';
}

export interface RecordedFile {
  readonly type: 'file';
  readonly hash: string;
  /** Bytes, for a piece of a chunked file. */
  readonly offset?: number;
  readonly size?: number;
}

export interface RecordedLink {
  readonly type: 'link';
  /** Latin-1, variables unexpanded. */
  readonly target: string;
}

/** Paths are Latin-1, one character a byte; '' is the root. */
export type RecordEntry = { readonly repository: string; readonly path: string } & (
  | RecordedCatalog
  | RecordedDirectory
  | RecordedFile
  | RecordedLink
);

/** One line, without its end. */
export function encodeRecordEntry({ type, repository, path, ...more }: RecordEntry): string {
  const { target, ...plain } = more as { target?: string };
  const link = target === undefined ? {} : bytesField('target', target);
  return JSON.stringify({ type, repository, ...bytesField('path', path || '/'), ...plain, ...link });
}

/** undefined for a line that is not one of a record, such as one that was cut off, or of a type that is not known. */
export function parseRecordEntry(line: string): RecordEntry | undefined {
  let fields: Fields;
  try {
    fields = JSON.parse(line) as Fields;
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { type, repository, hash, revision = 0, offset, size } = fields;
  const path = bytesOf(fields, 'path');
  if (typeof repository !== 'string' || path === undefined || !/^\/|^$/.test(path)) return undefined;
  const place = { repository, path: path.replace(/\/+$/, '') };
  switch (type) {
    case 'catalog':
      return typeof hash === 'string' ? { type, ...place, hash, revision: Number(revision) } : undefined;
    case 'directory':
      return { type, ...place };
    case 'file': {
      if (typeof hash !== 'string') return undefined;
      const piece = isLength(offset) && isLength(size) ? { offset, size } : {};
      return { type, ...place, hash, ...piece };
    }
    case 'link': {
      const target = bytesOf(fields, 'target');
      return target === undefined ? undefined : { type, ...place, target };
    }
    default:
      return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function bytesField(name: string, latin1: string): Record<string, string> {
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  const exact = Buffer.from(text, 'utf8').equals(bytes);
  return exact ? { [name]: text } : { [`${name}_b64`]: bytes.toString('base64') };
}

function bytesOf(fields: Fields, name: string): string | undefined {
  const [text, base64] = [fields[name], fields[`${name}_b64`]];
  if (typeof text === 'string') return Buffer.from(text, 'utf8').toString('latin1');
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('latin1') : undefined;
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
