// How many requests of a second `find -ls` in the same mount reach the server. Counted in what --debug prints. Pages of
// directories and links that the machine has taken out of memory meanwhile are asked for again: short of memory, or with
// proactive reclaim (DAMON), there are some.
import { runJob } from '../job.ts';
import { LIST_ALL } from './listing.ts';
import type { Row } from './row.ts';

const BEGIN = 'second listing begins';
const END = 'second listing has ended';

export function requestsRow(): Row {
  return {
    id: 'requests',
    title: 'requests that reach the server in that second `find -ls`',
    unit: 'requests',
    limit: { hot: 0 },
    reference: {},
    applies: ({ isRequest }) => isRequest !== undefined,
    measure: async (contestant, _state, bench) => {
      // From inside the tree, so that the way to it is no request. Marks go where the server's lines go, in their order.
      const script = `cd "$1" && ${LIST_ALL} && echo ${BEGIN} >&2 && ${LIST_ALL} && echo ${END} >&2`;
      const command = ['sh', '-c', script, 'sh', contestant.root];
      const cache = await bench.fullCache(contestant, async (directory) => {
        await runJob(contestant.launch(command, directory), bench.jobOptions);
      });
      let [first, second, mark] = [0, 0, ''];
      const onErrorLine = (line: string) => {
        if (line === BEGIN || line === END) mark = line;
        else if (!contestant.isRequest!(line)) return;
        else if (mark === '') first++;
        else if (mark === BEGIN) second++;
      };
      await runJob(contestant.launch(command, cache, true), { ...bench.jobOptions, onErrorLine });
      if (mark !== END || first < 1000) throw new Error(`${first} requests for all of the tree cannot be: see --debug`);
      return { value: second };
    },
  };
}
