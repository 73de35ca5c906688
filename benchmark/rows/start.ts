// How long a whole launch takes that does nothing: from the start of the program to its end, the median of 20.
import { runJob } from '../job.ts';
import { median } from '../statistics.ts';
import type { Row } from './row.ts';

const RUNS = 20;

export function startRow(): Row {
  return {
    id: 'start',
    title: '`cvmfsexec REPOSITORY -- true`, median of 20',
    unit: 'ms',
    limit: { cold: 130, hot: 80 },
    reference: { cold: 184, hot: 174 },
    applies: ({ coldness }) => coldness === 'cache',
    measure: async (contestant, state, bench) => {
      const run = (cache: string) => runJob(contestant.launch(['true'], cache), bench.jobOptions);
      const figures: number[] = [];
      for (let i = 0; i < RUNS; i++) {
        const cache = state === 'cold' ? bench.emptyCache(contestant) : await bench.fullCache(contestant, run);
        figures.push((await run(cache)).milliseconds);
      }
      return median(figures);
    },
  };
}
