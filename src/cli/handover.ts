// What a server of a job has from the one before it, which was killed, and leaves to the next (see src/launcher/serve.sh).
import type { NodeJournal } from '../filesystem/node-journal.ts';
import type { Negotiated } from '../fuse/init.ts';
import { LauncherError } from '../launcher/error.ts';
import { isMounted, openFuse } from '../launcher/fuse-mount.ts';
import { JOURNAL_NAME, JobJournal } from '../launcher/job-journal.ts';
import { InputLines } from './input-lines.ts';
import type { Inheritance } from './launch-environment.ts';

/** Where everything is mounted, known to a server that is not the first. */
const ROOT = '/cvmfs';

/** A descriptor of /dev/fuse and what is known of its mount. */
export interface MountDescriptor {
  readonly fd: number;
  /** It is mounted already, by the server before. */
  readonly adopted: boolean;
  /** What that server and the kernel agreed on, if they came so far. */
  readonly negotiated?: Negotiated;
  /** Notes what is agreed on now. */
  readonly onAgreed: (negotiated: Negotiated) => void;
}

export class Handover {
  /** There was a server before this one. */
  readonly restarted: boolean;
  readonly #descriptors: readonly number[];
  readonly #journal = new JobJournal();
  #root: Promise<string> | undefined;

  constructor({ restarted, descriptors }: Inheritance) {
    this.restarted = restarted;
    this.#descriptors = descriptors;
    if (restarted) this.#journal.adopt(0, `${ROOT}/${JOURNAL_NAME}`);
  }

  /** Resolves to the directory to mount below, when that can be. */
  rootDirectory(): Promise<string> {
    this.#root ??= this.#readRoot();
    return this.#root;
  }

  async #readRoot(): Promise<string> {
    if (this.restarted) return ROOT;
    const match = /^root (\/.*)$/.exec((await new InputLines(0).next()) ?? '');
    if (!match) throw new LauncherError('NO_ROOT', 'the root directory of the job could not be set up');
    this.#journal.create(`${match[1]}/${JOURNAL_NAME}`);
    return match[1];
  }

  nodeJournal(fqrn: string): NodeJournal {
    const owner = `nodes ${fqrn}`;
    return {
      append: (record) => this.#journal.append(owner, record),
      records: this.#journal.records(owner),
    };
  }

  /** For the job's repository number `index`, counted from 0. */
  descriptor(fqrn: string, index: number): MountDescriptor {
    const owner = `init ${fqrn}`;
    const fd = this.#number(fqrn, index);
    const agreed = this.#journal.records(owner).at(-1);
    return {
      fd,
      adopted: this.restarted && isMounted(fd),
      onAgreed: (negotiated) => this.#journal.append(owner, JSON.stringify(negotiated)),
      ...(agreed ? { negotiated: JSON.parse(agreed) as Negotiated } : {}),
    };
  }

  /** All is mounted or taken over, and is answered. */
  serving(): void {
    this.#journal.serving();
  }

  /** One that outlives this process, if sh could open enough of them. */
  #number(fqrn: string, index: number): number {
    const kept = this.#descriptors[index];
    if (kept !== undefined) return kept;
    if (!this.restarted) return openFuse();
    throw new LauncherError(
      'NOT_KEPT',
      `cannot take over ${fqrn} from a server that was killed: for so many repositories that needs a bash on PATH`,
    );
  }
}
