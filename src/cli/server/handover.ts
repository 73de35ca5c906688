// What a server of a job has from the one before it, which was killed, and leaves to the next (see src/launcher/serve.sh).
import { fstatSync } from 'node:fs';
import type { NodeJournal } from '../../filesystem/node-journal.ts';
import type { Negotiated } from '../../fuse/init.ts';
import { isMounted } from '../../fuse/is-mounted.ts';
import { LauncherError } from '../../launcher/error.ts';
import { openFuse } from '../../launcher/fuse-mount.ts';
import { InputLines } from '../../launcher/input-lines.ts';
import { JOURNAL_NAME, JobJournal } from '../../launcher/job-journal.ts';
import { leftMounts } from '../../launcher/left-mounts.ts';
import type { Inheritance } from '../launch-environment.ts';
import { type LaterMount, LaterMounts } from './later-mounts.ts';

/** Where everything is mounted, known to a server that is not the first; and what that is called where it is a mount itself. */
export const ROOT = '/cvmfs';
/** Where the pipe with the job's requests is, for the first server and for the others. */
const FIRST_PIPE = 0;
const PIPE = 4;

/** A descriptor of /dev/fuse and what is known of its mount. */
export interface MountDescriptor {
  readonly fd: number;
  /** It was served by the server before. */
  readonly adopted: boolean;
  /** Process that the server before has started, and that is still mounting it; undefined: if it is adopted, it is mounted. */
  readonly left?: number;
  /** What that server and the kernel agreed on, if they came so far. */
  readonly negotiated?: Negotiated;
  /** Notes what is agreed on now. */
  readonly onAgreed: (negotiated: Negotiated) => void;
}

/** What of all this one mount uses. */
export interface MountPlace {
  readonly descriptor: () => MountDescriptor;
  readonly nodes: NodeJournal;
  /** A server before this one was about to unmount it. */
  readonly wasEnding: boolean;
  /** It is about to be unmounted. */
  readonly beginEnd: () => void;
  /** It is unmounted. */
  readonly end: () => void;
}

export class Handover {
  /** There was a server before this one. */
  readonly restarted: boolean;
  /** Descriptor of the pipe with the job's requests. */
  readonly pipe: number;
  readonly lines: InputLines;
  readonly #descriptors: readonly number[];
  readonly #spares: readonly number[];
  readonly #journal = new JobJournal();
  #root: Promise<string> | undefined;
  readonly #later: LaterMounts;
  /** Processes that still mount what the server before began with, by directory. */
  readonly #left: ReadonlyMap<string, number>;
  /** What a server before began to mount, and perhaps its mount(8) is still about to: never with another descriptor. */
  readonly #unfinished: Map<string, LaterMount>;

  /** @param named how many of the descriptors are for repositories that the launch names */
  constructor({ restarted, descriptors }: Inheritance, named: number) {
    this.restarted = restarted;
    this.#descriptors = descriptors.slice(0, named);
    this.#spares = descriptors.slice(named);
    if (restarted) this.#journal.adopt(0);
    this.#left = restarted ? leftMounts() : new Map();
    this.#later = new LaterMounts(this.#spares.length, this.#journal.records('later'), (record) =>
      this.#journal.append('later', record),
    );
    this.#unfinished = new Map(this.#later.open.filter((one) => !this.#isThere(one)).map((one) => [one.fqrn, one]));
    // Not where /cvmfs is a mount itself, or will be, which nobody answers for yet: the name was lost before.
    if (restarted && !this.takenOver().has(ROOT) && !this.#left.has(ROOT))
      this.#journal.loseName(`${ROOT}/${JOURNAL_NAME}`);
    this.pipe = restarted ? PIPE : FIRST_PIPE;
    this.lines = new InputLines(this.pipe);
  }

  /** Resolves to the directory to mount below, when that can be. */
  rootDirectory(): Promise<string> {
    this.#root ??= this.#readRoot();
    return this.#root;
  }

  async #readRoot(): Promise<string> {
    if (this.restarted) return ROOT;
    const match = /^root (\/.*)$/.exec((await this.lines.next()) ?? '');
    if (!match) throw new LauncherError('NO_ROOT', 'the root directory of the job could not be set up');
    this.#journal.create(`${match[1]}/${JOURNAL_NAME}`);
    return match[1];
  }

  /** For the job's repository number `index`, counted from 0; undefined: it was unmounted. */
  named(fqrn: string, index: number): MountPlace | undefined {
    const slot = -1 - index;
    if (this.#later.hasEnded(slot)) return undefined;
    const fd = () => this.#kept(fqrn, this.#descriptors[index], !this.restarted);
    return {
      nodes: this.notes(`nodes ${fqrn}`),
      descriptor: () => this.#descriptor(fqrn, fqrn, fd()),
      ...this.#endOf(slot, fqrn),
    };
  }

  /** For one that is mounted while the job runs. */
  later(fqrn: string): MountPlace {
    const begun = this.#unfinished.get(fqrn);
    this.#unfinished.delete(fqrn);
    return this.#laterPlace(begun ?? this.#later.add(fqrn), true);
  }

  /** What the servers before have mounted so, and is mounted still. */
  takenOver(): ReadonlyMap<string, MountPlace> {
    const there = this.#later.open.filter(({ fqrn }) => !this.#unfinished.has(fqrn));
    return new Map(there.map((mount) => [mount.fqrn, this.#laterPlace(mount, false)]));
  }

  /** Whether it was mounted once and then unmounted, in this job. */
  wasUnmounted(fqrn: string): boolean {
    return this.#later.wasUnmounted(fqrn);
  }

  /** Names of what they began to mount so. */
  get unfinished(): string[] {
    return [...this.#unfinished.keys()];
  }

  /** Records of the servers of this job, under a name. */
  notes(owner: string): NodeJournal {
    return {
      append: (record) => this.#journal.append(owner, record),
      shorten: (condense) => this.#journal.shorten(owner, condense),
      records: this.#journal.records(owner),
    };
  }

  /** All is mounted or taken over, and is answered. */
  serving(): void {
    this.#journal.serving();
  }

  /** What whoever starts the command must know to let it write requests: the process that keeps the pipe, and its inode. */
  get pipeAddress(): string {
    return `${process.ppid} ${fstatSync(this.pipe).ino}`;
  }

  #isThere({ fqrn, descriptor }: LaterMount): boolean {
    if (descriptor === undefined) return true;
    return !this.#left.has(directoryOf(fqrn)) && isMounted(this.#spares[descriptor]);
  }

  #laterPlace({ fqrn, slot, descriptor }: LaterMount, fresh: boolean): MountPlace {
    const key = `${fqrn}#${slot}`;
    const kept = descriptor === undefined ? undefined : this.#spares[descriptor];
    return {
      nodes: this.notes(`nodes ${key}`),
      descriptor: () => this.#descriptor(key, fqrn, this.#kept(fqrn, kept, fresh)),
      ...this.#endOf(slot, fqrn),
    };
  }

  #endOf(slot: number, fqrn: string): Pick<MountPlace, 'wasEnding' | 'beginEnd' | 'end'> {
    return {
      wasEnding: this.#later.isEnding(slot),
      beginEnd: () => this.#later.beginEnd(slot),
      end: () => this.#later.end(slot, fqrn),
    };
  }

  #descriptor(key: string, fqrn: string, fd: number): MountDescriptor {
    const owner = `init ${key}`;
    const left = this.#left.get(directoryOf(fqrn));
    const agreed = this.#journal.records(owner).at(-1);
    return {
      fd,
      adopted: this.restarted && (left !== undefined || isMounted(fd)),
      ...(left === undefined ? {} : { left }),
      onAgreed: (negotiated) => this.#journal.append(owner, JSON.stringify(negotiated)),
      ...(agreed ? { negotiated: JSON.parse(agreed) as Negotiated } : {}),
    };
  }

  /** One that outlives this process, if sh could open enough of them. */
  #kept(fqrn: string, kept: number | undefined, fresh: boolean): number {
    if (kept !== undefined) return kept;
    if (fresh) return openFuse();
    throw new LauncherError(
      'NOT_KEPT',
      `cannot take over ${fqrn} from a server that was killed: for so many repositories that needs a bash on PATH`,
    );
  }
}

/** Where a server that is not the first finds it. */
function directoryOf(fqrn: string): string {
  return fqrn === ROOT ? ROOT : `${ROOT}/${fqrn}`;
}
