// Choosing the root catalog to mount: a fixed hash, a tag, a date, or the newest revision.
import { ContentHash } from '../objects/hash.ts';
import type { ObjectRequest } from '../objects/object.ts';
import { isRevisionBlacklisted } from './blacklist.ts';
import type { Breadcrumb } from './breadcrumb.ts';
import { RepositoryError, reasonOf } from './errors.ts';
import { parseTagDate, readHistory, tagByDate, tagByName } from './history.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { decideRoot, type LocalRoot, localRoot, type MountedRoot } from './rollback.ts';
import { type ObjectReader, openObject, type RepositorySource } from './source.ts';
import { fetchManifest, type VerificationOptions, type VerifiedManifest } from './verification.ts';
import { type Evidence, isFresh, recordSource, type VerifiedRecord } from './verified-record.ts';

export interface RootOptions extends Omit<VerificationOptions, 'minTimestamp' | 'known' | 'alongside'> {
  /** CVMFS_ROOT_HASH; what is no hash counts as not given. */
  readonly fixedRoot?: string;
  /** CVMFS_REPOSITORY_TAG; counts also when empty. */
  readonly tag?: string;
  /** CVMFS_REPOSITORY_DATE; counts also when empty. */
  readonly date?: string;
  /** CVMFS_ALT_ROOT_PATH: where a fixed root catalog is fetched from. */
  readonly alternativePath?: boolean;
  readonly breadcrumb?: Breadcrumb;
  /** On a running mount: its root catalog. */
  readonly mounted?: MountedRoot;
  /** What was verified last on this node. While it is fresh, no server is asked for a manifest. */
  readonly record?: VerifiedRecord;
  /** Verifies also what is known already: to get the proof for a record where there is none. */
  readonly proveAgain?: boolean;
  /** CVMFS_MAX_TTL, in seconds. */
  readonly maxTtl?: number;
}

export interface RootChoice {
  readonly rootHash: ContentHash;
  /** Never to be replaced by a newer revision. */
  readonly fixed: boolean;
  /** Unknown with a fixed hash. */
  readonly revision?: number;
  /** Bytes of the uncompressed catalog, where known. */
  readonly size?: number;
  /** The verified manifest; undefined where the server's brought nothing new and so was not verified. */
  readonly manifest?: Manifest;
  readonly tagName?: string;
  /** Why the local catalog is used without the server's confirmation. */
  readonly offline?: RepositoryError;
  /** The root catalog is fetched from `.cvmfsalt-<hash>`. */
  readonly alternativePath: boolean;
  /**
   * What proved the manifest, and when a server last vouched for it, seconds since 1970: to be kept for the next start
   * (verified-record.ts). Undefined where no server did.
   */
  readonly verified?: { readonly evidence: Evidence; readonly time: number };
  /** To be written once the root catalog is stored; only when a server's manifest brought a new one. */
  readonly breadcrumb?: Breadcrumb;
}

/**
 * Chooses the root catalog and verifies that it may be used (client.md §4.3, §1.8).
 * @throws RepositoryError those of fetchManifest, NoHistory, NoSuchTag, BadDate, BadHistory, Blacklisted
 */
export async function chooseRoot(
  source: RepositorySource,
  objects: ObjectReader,
  options: RootOptions,
): Promise<RootChoice> {
  const fixed = ContentHash.parse(options.fixedRoot ?? '');
  if (fixed && !fixed.isNull) {
    return { rootHash: fixed, fixed: true, alternativePath: options.alternativePath ?? false };
  }
  const tagged = options.tag !== undefined || options.date !== undefined;
  const choice = await (tagged ? taggedRoot : newestRoot)(source, objects, options);
  const { fqrn, blacklist } = options;
  if (blacklist && choice.revision !== undefined && isRevisionBlacklisted(blacklist, fqrn, choice.revision)) {
    throw new RepositoryError(
      'Blacklisted',
      `revision ${choice.revision} of ${fqrn} is blacklisted: a newer one is needed`,
    );
  }
  return choice;
}

/** What to ask for to get the chosen root catalog. */
export function chosenCatalogRequest({ rootHash: hash, size, alternativePath }: RootChoice): ObjectRequest {
  const known = size ? { size } : {};
  return { hash, letter: 'C', compression: 'zlib', label: 'root file catalog', alternativePath, ...known };
}

async function taggedRoot(source: RepositorySource, objects: ObjectReader, options: RootOptions): Promise<RootChoice> {
  const { fqrn, tag: name, date } = options;
  const seconds = name === undefined ? parseTagDate(date ?? '') : 0;
  const recorded = await recordedManifest(options);
  const answer: RecordedManifest =
    recorded ?? (await fetchManifest(source, objects, { ...options, alongside: historyRequest }));
  const { manifest } = answer;
  const request = historyRequest(manifest);
  if (!request) {
    throw new RepositoryError('NoHistory', `the repository ${fqrn} has no tags: mount its newest revision`);
  }
  const tags = readHistory(await openHistory(objects, request, fqrn));
  const tag = name === undefined ? tagByDate(tags, seconds) : tagByName(tags, name);
  const { hash: rootHash, revision, size } = tag;
  return {
    rootHash,
    fixed: true,
    revision,
    size,
    manifest,
    tagName: tag.name,
    alternativePath: false,
    ...proof(answer, options),
  };
}

function historyRequest({ history: hash }: Manifest): ObjectRequest | undefined {
  return hash && { hash, letter: 'H', compression: 'zlib', label: 'history of tags' };
}

async function openHistory(objects: ObjectReader, request: ObjectRequest, fqrn: string) {
  try {
    return await openObject(objects, request);
  } catch (cause) {
    throw new RepositoryError('BadHistory', `cannot load the tags of ${fqrn}: ${reasonOf(cause)}`, { cause });
  }
}

async function newestRoot(source: RepositorySource, objects: ObjectReader, options: RootOptions): Promise<RootChoice> {
  const local = localRoot(options.breadcrumb, options.mounted);
  const minTimestamp = local?.timestamp;
  let answer: RecordedManifest | undefined = await recordedManifest({ ...options, minTimestamp });
  // Another process may have seen a newer revision since.
  if (answer && local && answer.manifest.revision < local.revision) answer = undefined;
  let failure: RepositoryError | undefined;
  try {
    const known = options.proveAgain ? undefined : local;
    answer ??= await fetchManifest(source, objects, { ...options, minTimestamp, known });
  } catch (error) {
    if (!(error instanceof RepositoryError) || !local) throw error;
    failure = error;
  }
  const manifest = answer?.manifest;
  const verified = answer && proof(answer, options);
  if (local && answer?.unchanged) return { ...localChoice(local, answer.manifest.alternativePath), ...verified };
  const decision = decideRoot(local, manifest);
  if (manifest && decision?.from === 'server') return { ...servedChoice(manifest), ...verified };
  if (!local) throw failure ?? new RepositoryError('Load', `there is no revision of ${options.fqrn} to mount`);
  const offline = decision?.offline ? (failure ?? stale(options.fqrn, local, manifest)) : undefined;
  const confirmed = offline ? undefined : verified;
  return { ...localChoice(local, manifest?.alternativePath ?? false), manifest, offline, ...confirmed };
}

/** The manifest of a fresh record, verified as if it came from a server; undefined if there is none that holds. */
async function recordedManifest(
  options: RootOptions & Pick<VerificationOptions, 'minTimestamp'>,
): Promise<RecordedManifest | undefined> {
  const { record, maxTtl, now = () => new Date() } = options;
  if (!record || !isFresh(record, now(), maxTtl)) return undefined;
  const source = recordSource(record);
  try {
    const answer = await fetchManifest(source, source, { ...options, known: undefined, alongside: () => undefined });
    return { ...answer, time: record.verified };
  } catch {
    // Whatever is wrong with it, a server has the last word.
    return undefined;
  }
}

interface RecordedManifest extends VerifiedManifest {
  /** When a server vouched for it, seconds since 1970; undefined: just now. */
  readonly time?: number;
}

function proof(
  answer: RecordedManifest,
  { record, now = () => new Date() }: RootOptions,
): Pick<RootChoice, 'verified'> {
  const evidence = answer.evidence ?? (record && namesSame(record, answer.manifest) ? record : undefined);
  const time = answer.time ?? Math.floor(now().getTime() / 1000);
  return evidence ? { verified: { evidence, time } } : {};
}

/** An unchanged manifest was not verified again: what proved it before must be about the same root catalog. */
function namesSame({ manifest }: Evidence, { rootHash, revision }: Manifest): boolean {
  try {
    const known = parseManifest(manifest);
    return known.rootHash.equals(rootHash) && known.revision === revision;
  } catch {
    return false;
  }
}

function localChoice({ rootHash, revision }: LocalRoot, alternativePath: boolean): RootChoice {
  return { rootHash, fixed: false, revision, alternativePath };
}

function servedChoice(manifest: Manifest): RootChoice {
  const { rootHash, revision, rootSize: size, publishTime: timestamp, alternativePath } = manifest;
  const breadcrumb = timestamp > 0 ? { rootHash, timestamp, revision } : undefined;
  return { rootHash, fixed: false, revision, size, manifest, alternativePath, breadcrumb };
}

function stale(fqrn: string, { revision }: LocalRoot, manifest: Manifest | undefined): RepositoryError {
  const message = `the server has revision ${manifest?.revision} of ${fqrn}, revision ${revision} was seen before: the server is behind`;
  return new RepositoryError('Outdated', message);
}
