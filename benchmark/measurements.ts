// All measurements of a run in their order: round by round, in each round row by row, in each row all contestants.
import type { Caches } from './caches.ts';
import type { Contestant } from './contestants/contestant.ts';
import type { JobOptions } from './job.ts';
import { dropPageCache, loadAverage, waitForQuiet } from './machine.ts';
import type { Row, State } from './rows/row.ts';
import { Figures } from './table.ts';

export interface Setup {
  readonly rows: readonly Row[];
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly jobOptions: JobOptions;
  readonly caches: Caches;
  /** Wait for the machine to be quiet before each measurement. */
  readonly quiet: boolean;
  /** Measure the disk with an empty page cache too. */
  readonly coldDisk: boolean;
  readonly say: (line: string) => void;
}

export interface Measured {
  readonly figures: Figures;
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

export async function measureAll(setup: Setup): Promise<Measured> {
  const { rows, contestants, rounds, caches, jobOptions, say } = setup;
  const figures = new Figures();
  const failures: string[] = [];
  const measure = async (row: Row, contestant: Contestant, state: State) => {
    if (row.limit[state] === undefined || !row.applies(contestant)) return;
    if (setup.quiet) await waitForQuiet();
    const load = loadAverage();
    const bench = {
      jobOptions,
      emptyCache: (whose: Contestant) => caches.empty(whose),
      fullCache: (whose: Contestant, warm: (cache: string) => Promise<unknown>) => caches.full(whose, warm),
    };
    if (contestant.coldness === 'pages' && state === 'cold') dropPageCache();
    try {
      const figure = await row.measure(contestant, state, bench);
      figures.add(row, contestant, state, figure);
      say(`${row.id} ${contestant.name} ${state}: ${figure.value.toFixed(3)} ${row.unit} (load before: ${load})`);
    } catch (error) {
      failures.push(`${row.id}, ${contestant.name} ${state}: ${(error as Error).message}`);
      say(failures.at(-1)!);
    }
  };
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      for (const contestant of contestants) {
        if (contestant.coldness === 'cache') await measure(row, contestant, 'cold');
        await measure(row, contestant, 'hot');
      }
      caches.remove();
    }
  }
  // Last, because it takes from the web server what it has in memory.
  for (let round = 0; setup.coldDisk && round < rounds; round++) {
    for (const row of rows) {
      for (const contestant of contestants.filter(({ coldness }) => coldness === 'pages')) {
        await measure(row, contestant, 'cold');
        caches.remove();
      }
    }
  }
  return { figures, failures };
}
