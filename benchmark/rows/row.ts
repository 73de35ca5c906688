// One line of the table: something that people do with a repository, and how long it may take.
import type { Contestant } from '../contestants/contestant.ts';
import type { JobOptions } from '../job.ts';

export type State = 'cold' | 'hot';

export interface Row {
  /** For --only. */
  readonly id: string;
  readonly title: string;
  readonly unit: 's' | 'ms' | 'MB' | 'requests';
  /** What this package's client may take at most; a state without a limit is not measured. */
  readonly limit: Partial<Record<State, number>>;
  /** What the reference client took on a machine of this kind. */
  readonly reference: Partial<Record<State, number>>;
  applies(contestant: Contestant): boolean;
  /** One run. */
  measure(contestant: Contestant, state: State, bench: Bench): Promise<Figure>;
}

export interface Figure {
  /** In the row's unit. */
  readonly value: number;
  /**
   * Processor seconds of the command alone, with what the kernel does in its name, without the server. A command of one
   * process cannot take less time than that, however fast the server is.
   */
  readonly commandSeconds?: number;
}

/** What rows measure with. Caches are those of one row. */
export interface Bench {
  readonly jobOptions: JobOptions;
  /** An empty cache directory, in place of the one that the contestant had. */
  emptyCache(contestant: Contestant): string;
  /** The cache directory that the contestant filled; when there is none yet, `warm` fills it. */
  fullCache(contestant: Contestant, warm: (cache: string) => Promise<unknown>): Promise<string>;
}
