// The reference's exit codes (client.md §9.1), and which of our failures is which.

/** Codes that this client gives. Those of the reference's own parts (peers, NFS maps, library, …) do not happen here. */
export const ExitCode = {
  ok: 0,
  unknown: 1,
  options: 2,
  permission: 3,
  mount: 4,
  fuseLoop: 6,
  cacheDirectory: 9,
  signature: 15,
  catalog: 16,
  otherMount: 20,
  history: 22,
  proxyDiscovery: 23,
  revisionBlacklisted: 25,
} as const;

const TEXTS: ReadonlyMap<number, string> = new Map([
  [ExitCode.unknown, 'unknown error'],
  [ExitCode.options, 'illegal options'],
  [ExitCode.permission, 'permission denied'],
  [ExitCode.mount, 'failed to mount'],
  [ExitCode.fuseLoop, 'cannot run FUSE event loop'],
  [ExitCode.cacheDirectory, 'cache directory/plugin problem'],
  [ExitCode.signature, 'signature verification failure'],
  [ExitCode.catalog, 'file catalog failure'],
  [ExitCode.otherMount, 'already mounted'],
  [ExitCode.history, 'history init failure'],
  [ExitCode.proxyDiscovery, 'proxy auto-discovery failed'],
  [ExitCode.revisionBlacklisted, 'revision blacklisted'],
]);

/** Of cvmfs2 itself, before there is anything to serve. */
export class MountFailure extends Error {
  override readonly name = 'MountFailure';
  readonly exitCode: number;

  /** @param message one line: what was tried, what happened, what to do. */
  constructor(exitCode: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** By the `code` of the error or of what caused it. */
const BY_CODE: ReadonlyMap<string, number> = new Map([
  ['USAGE', ExitCode.options],
  ['BAD_OPTION', ExitCode.options],
  ['BAD_NAME', ExitCode.options],
  ['MISSING', ExitCode.options],
  ['CONFLICT', ExitCode.options],
  ['NO_FILE', ExitCode.options],
  ['NO_CACHE', ExitCode.cacheDirectory],
  ['NO_KEY', ExitCode.signature],
  ['KEY_FILE', ExitCode.signature],
  ['BadKey', ExitCode.signature],
  ['NoHistory', ExitCode.history],
  ['NoSuchTag', ExitCode.history],
  ['BadDate', ExitCode.history],
  ['BadHistory', ExitCode.history],
  ['Blacklisted', ExitCode.revisionBlacklisted],
  ['NO_FUSE', ExitCode.mount],
  ['MOUNT_FAILED', ExitCode.mount],
  ['NO_FUSERMOUNT', ExitCode.mount],
  ['NO_RECEIVER', ExitCode.mount],
]);

const BY_CLASS: ReadonlyMap<string, number> = new Map([
  ['CacheError', ExitCode.cacheDirectory],
  ['RepositoryError', ExitCode.catalog],
  ['DownloadError', ExitCode.catalog],
  ['FuseError', ExitCode.fuseLoop],
]);

export function exitCodeOf(error: unknown): number {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof MountFailure) return cause.exitCode;
    const code = BY_CODE.get(String((cause as { code?: unknown }).code)) ?? BY_CLASS.get(cause.name);
    if (code !== undefined) return code;
  }
  return ExitCode.unknown;
}

/** As the reference prints it: `<message> (<code> - <text>)`. */
export function explainFailure(error: unknown): string {
  const code = exitCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return `${message} (${code} - ${TEXTS.get(code)})`;
}
