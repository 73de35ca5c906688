// Memory of the server after it has shown all of the tree, with a full cache.
import { runJob } from '../job.ts';
import { descendantMemory, type ProcessMemory } from '../machine.ts';
import { LIST_ALL } from './listing.ts';
import type { Row } from './row.ts';

const TITLES = { resident: 'VmRSS', proportional: 'Pss' } as const;

export function memoryRow(kind: keyof ProcessMemory): Row {
  return {
    id: `memory-${kind}`,
    title: `memory of the server after \`find -ls\` (${TITLES[kind]})`,
    unit: 'MB',
    limit: { hot: 140 },
    reference: kind === 'resident' ? { hot: 87 } : {},
    applies: ({ isServer }) => isServer !== undefined,
    measure: async (contestant, _state, bench) => {
      const list = ['sh', '-c', `cd "$1" && ${LIST_ALL} && echo listed && read -r answer`, 'sh', contestant.root];
      let memory: ProcessMemory | undefined;
      const run = (cache: string) =>
        runJob(contestant.launch(list, cache), {
          ...bench.jobOptions,
          onLine: (_line, job) => {
            memory = descendantMemory(job.pid, contestant.isServer!);
            job.write('go on\n');
          },
        });
      await run(await bench.fullCache(contestant, run));
      return { value: memory![kind] };
    },
  };
}
