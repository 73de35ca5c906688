// `--auto`: /cvmfs is a file system of its own, in which repositories appear when somebody goes there.
import { ConfigError } from '../../config/error.ts';
import { namePattern } from '../../config/name-pattern.ts';
import { isFullName } from '../../config/names.ts';
import { DownloadError } from '../../download/errors.ts';
import { MountPoints, type MountPointsHost } from '../../filesystem/mount-points.ts';
import type { NodeJournal } from '../../filesystem/node-journal.ts';
import { Session } from '../../fuse/session.ts';
import { mountFuse } from '../../launcher/fuse-mount.ts';
import { reporter } from '../reporter.ts';
import { type MountPlace, ROOT } from './handover.ts';
import { initialized, lookAt } from './mount-answers.ts';
import type { Mounting } from './mounting.ts';

/** Names, and what mount points are, stay as they are for the life of the mount. */
const FOREVER = 10 * 365 * 86_400;
/** Whoever goes to a repository that nobody answers for waits no longer. */
const FIND_WITHIN_MS = 60_000;
/** Answers of servers that have no such repository. */
const NOT_THERE: readonly (number | undefined)[] = [403, 404, 410];

export class AutoMounts implements MountPointsHost {
  readonly points: MountPoints;
  readonly #tests: readonly ((name: string) => boolean)[];
  readonly #notes: NodeJournal;
  readonly #begin: (name: string) => Mounting;

  /**
   * @param patterns names that match one of them
   * @param notes holds the names that were numbered
   * @param begin begins to mount a repository, if nobody has
   */
  constructor(patterns: readonly string[], notes: NodeJournal, begin: (name: string) => Mounting) {
    this.#tests = patterns.flatMap((pattern) => namePattern(pattern) ?? []);
    this.#notes = notes;
    this.#begin = begin;
    this.points = new MountPoints(this, notes.records);
  }

  /**
   * Mounts it at `directory`, or takes it over, and serves it; `mountNamed` mounts what is to be there from the start. Resolves
   * when all answers.
   */
  async serve(place: MountPlace, directory: string, mountNamed: () => Promise<unknown>): Promise<void> {
    const report = reporter(ROOT);
    const descriptor = place.descriptor();
    const { fd, adopted, left, negotiated } = descriptor;
    const there = adopted && left === undefined;
    const session = new Session({
      ...descriptor,
      operations: this.points,
      answerOpen: true,
      readOnlyMount: true,
      listXattr: true,
      entryTimeout: FOREVER,
      attributeTimeout: FOREVER,
      askSomething: () => lookAt(directory),
      onError: (request, reason) => report(`${request}: ${(reason as Error)?.message ?? reason}`),
    });
    // Before the first question is answered, which may be for one of them: it must be found that they are being taken over.
    const named = there ? mountNamed() : undefined;
    session.start().catch((error: Error) => report(error.message));
    if (!there) await mountFuse(fd, 'cvmfsexec', directory, { makeDirectory: false, shared: true, left });
    if (adopted && !negotiated) await initialized(session, ROOT);
    await (named ?? mountNamed());
  }

  mayBe(name: string): boolean {
    return isFullName(name) && this.#tests.some((test) => test(name));
  }

  async find(name: string): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `cannot mount ${name}: no answer within ${FIND_WITHIN_MS / 1000} s`;
      timer = setTimeout(() => reject(new Error(message)), FIND_WITHIN_MS);
    });
    try {
      await Promise.race([this.#begin(name).opened, late]);
      return true;
    } catch (error) {
      if (!saysThatThereIsNone(error)) reporter(name)((error as Error).message);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  async mounted(name: string): Promise<void> {
    try {
      await this.#begin(name).mounted;
    } catch (error) {
      if (!saysThatThereIsNone(error)) reporter(name)((error as Error).message);
    }
  }

  note(name: string): void {
    this.#notes.append(name);
  }
}

/** No server is configured for such names, or all of them know of none: nothing is wrong, except perhaps the name. */
function saysThatThereIsNone(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ConfigError) return ['MISSING', 'NO_KEY', 'NOT_ALLOWED'].includes(cause.code);
    if (cause instanceof DownloadError) return NOT_THERE.includes(cause.status);
  }
  return false;
}
