// How long a whole launch takes that does nothing: from the start of the program to its end, the median of 20. Beside it,
// how long Node takes that does nothing: a launch cannot be faster on the machine.
import { runJob } from '../job.ts';
import { median } from '../statistics.ts';
import type { Row } from './row.ts';

const RUNS = 20;

export function startRow(): Row {
  return {
    id: 'start',
    title: '`cvmfsexec REPOSITORY -- true`, median of 20; beside it `node -e 0`',
    unit: 'ms',
    limit: { cold: 130, hot: 80 },
    reference: { cold: 184, hot: 174 },
    applies: () => true,
    measure: async (contestant, state, bench) => {
      const command = contestant.coldness === 'pages' ? [process.execPath, '-e', '0'] : ['true'];
      const run = (cache: string) => runJob(contestant.launch(command, cache), bench.jobOptions);
      const figures: number[] = [];
      for (let i = 0; i < RUNS; i++) {
        const cache = state === 'cold' ? bench.emptyCache(contestant) : await bench.fullCache(contestant, run);
        figures.push((await run(cache)).milliseconds);
      }
      return { value: median(figures) };
    },
  };
}
