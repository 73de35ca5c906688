// What all programs that serve a repository have in common: opening it, and answering the kernel for it.
import { MountedRepository, type RepositorySettings } from '../filesystem/mounted-repository.ts';
import { Session, type SessionOptions } from '../fuse/session.ts';
import type { Log } from '../log/log.ts';
import { writeLine } from './reporter.ts';

/** Seconds for which the kernel may keep names and attributes: for as long as the mount lasts. */
const FOREVER = 10 * 365 * 86_400;
/** The same for attributes where not everybody may see them: what the reference client lets the kernel keep. */
const RESTRICTED = 60;

/** Opens a repository. A failure names all that was tried, in one line; what was overcome on the way is told afterwards. */
export async function openRepository(settings: RepositorySettings): Promise<MountedRepository> {
  let held: string[] | undefined = [];
  const report = (message: string): void => {
    if (held) held.push(message);
    else settings.report(message);
  };
  try {
    const repository = await MountedRepository.open({ ...settings, report });
    for (const message of held.splice(0)) settings.report(message);
    held = undefined;
    return repository;
  } catch (cause) {
    throw new Error(`cannot mount ${settings.fqrn}: ${(cause as Error).message}`, { cause });
  }
}

/** Those of the session: for a descriptor that another server had before. */
type TakingOver = Pick<SessionOptions, 'adopted' | 'negotiated' | 'onAgreed' | 'onBlocked' | 'askSomething'>;

export interface ServingOptions extends TakingOver {
  /** Of /dev/fuse; the session owns it. */
  readonly fd: number;
  /** Whoever mounted it gave `ro` and `default_permissions`; otherwise every OPEN and ACCESS is judged here. */
  readonly readOnlyMount: boolean;
  /** Every request and every reply becomes a line of stderr. */
  readonly debug: boolean;
}

/** The session of a repository's mount, not started yet. */
export function repositorySession(
  repository: MountedRepository,
  { fqrn, report, log }: Pick<RepositorySettings, 'fqrn' | 'report' | 'log'>,
  { readOnlyMount, debug, ...descriptor }: ServingOptions,
): Session {
  const { operations, counters, network } = repository;
  const { required } = network.membership;
  const { latencies } = counters;
  const trace = traceTo(fqrn, log, debug);
  const session = new Session({
    ...descriptor,
    operations,
    // Who may open something is not for the kernel to remember.
    answerOpen: !readOnlyMount || required,
    readOnlyMount,
    listXattr: true,
    entryTimeout: FOREVER,
    attributeTimeout: required ? RESTRICTED : FOREVER,
    onError: (request, reason) => (log ? log.error(explain(request, reason)) : report(explain(request, reason))),
    onIoError: () => counters.noteIoError(),
    ...(latencies ? { onAnswered: (opcode, milliseconds) => latencies.note(opcode, milliseconds) } : {}),
    ...(trace ? { debug: trace } : {}),
  });
  network.caller = session.caller;
  return session;
}

/** Where each request and its reply are written: stderr for `--debug`, the debug log. undefined: nowhere. */
function traceTo(fqrn: string, log: Log | undefined, debug: boolean): ((line: string) => void) | undefined {
  if (!debug && !log?.debugging) return undefined;
  return (line) => {
    if (debug) writeLine(`${fqrn} ${line}`);
    log?.debug('fuse stub', line);
  };
}

/** Errors of ours name what it was about; the request's own numbers would make every line a new one. */
function explain(request: string, reason: unknown): string {
  const { message, code } = reason as { message?: string; code?: unknown };
  return typeof code === 'string' ? `${message}` : `${request}: ${message ?? reason}`;
}
