// The manifest `.cvmfspublished`: one field a line, the first character is the key. C root catalog, B its size, R MD5
// of the root path, D time to live, S revision, G garbage collectable, A alternative path, N name, X certificate,
// H history, T publish time, M meta info, Y reflog. Ends at a line "--", where the letter's signature begins.
import { ContentHash } from '../objects/hash.ts';
import { RepositoryError } from './errors.ts';

/** MD5 of the empty path: the only value of field R there is. */
export const ROOT_PATH_MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

export interface Manifest {
  /** The root catalog. */
  readonly rootHash: ContentHash;
  /** Bytes of the uncompressed root catalog; 0 when the manifest does not say. */
  readonly rootSize: number;
  readonly rootPathMd5: string;
  /** Seconds. A mounted client goes by the root catalog's own property instead. */
  readonly ttl: number;
  readonly revision: number;
  readonly garbageCollectable: boolean;
  /** Root catalog and certificate are at `.cvmfsalt-<hash>`. */
  readonly alternativePath: boolean;
  /** Fully qualified repository name; empty when missing. */
  readonly name: string;
  readonly certificate?: ContentHash;
  readonly history?: ContentHash;
  /** Seconds since 1970; 0 when missing. */
  readonly publishTime: number;
  readonly metainfo?: ContentHash;
  readonly reflog?: ContentHash;
}

/**
 * Parses a manifest with or without its signature, which is not looked at (client.md §1.2.2).
 * @throws RepositoryError Incomplete
 */
export function parseManifest(data: Uint8Array): Manifest {
  const fields = readFields(data);
  const missing = ['C', 'R', 'D', 'S'].filter((key) => !fields.has(key));
  if (missing.length > 0) {
    throw new RepositoryError('Incomplete', `the manifest lacks the field ${missing.join(', ')}`);
  }
  const rootHash = hashField(fields, 'C');
  if (!rootHash) throw new RepositoryError('Incomplete', 'the field C of the manifest is not a hash');
  return {
    rootHash,
    rootSize: numberField(fields, 'B'),
    rootPathMd5: fields.get('R')!,
    ttl: numberField(fields, 'D'),
    revision: numberField(fields, 'S'),
    garbageCollectable: fields.get('G') === 'yes',
    alternativePath: fields.get('A') === 'yes',
    name: fields.get('N') ?? '',
    certificate: hashField(fields, 'X'),
    history: hashField(fields, 'H'),
    publishTime: numberField(fields, 'T'),
    metainfo: hashField(fields, 'M'),
    reflog: hashField(fields, 'Y'),
  };
}

/** The manifest's text, to be signed, with the fields in the order of the reference's publisher (client.md §14.9). */
export function encodeManifest(manifest: Manifest): Buffer {
  const lines = [
    `C${manifest.rootHash}`,
    `B${manifest.rootSize}`,
    `R${manifest.rootPathMd5}`,
    `D${manifest.ttl}`,
    `S${manifest.revision}`,
    `G${manifest.garbageCollectable ? 'yes' : 'no'}`,
    `A${manifest.alternativePath ? 'yes' : 'no'}`,
    `N${manifest.name}`,
  ];
  if (manifest.certificate) lines.push(`X${manifest.certificate}`);
  if (manifest.history) lines.push(`H${manifest.history}`);
  lines.push(`T${manifest.publishTime}`);
  if (manifest.metainfo) lines.push(`M${manifest.metainfo}`);
  if (manifest.reflog) lines.push(`Y${manifest.reflog}`);
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
}

function readFields(data: Uint8Array): Map<string, string> {
  const lines = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1').split('\n');
  lines.pop(); // what follows the last newline is no line
  const fields = new Map<string, string>();
  for (const line of lines) {
    if (line === '--') break;
    if (line !== '') fields.set(line[0]!, line.slice(1));
  }
  return fields;
}

function hashField(fields: Map<string, string>, key: string): ContentHash | undefined {
  const hash = ContentHash.parse(fields.get(key) ?? '');
  return hash?.isNull ? undefined : hash;
}

/** Leading digits count, anything else is 0; what a double cannot hold exactly is cut. */
function numberField(fields: Map<string, string>, key: string): number {
  const digits = /^\s*\+?(\d+)/.exec(fields.get(key) ?? '')?.[1] ?? '0';
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
