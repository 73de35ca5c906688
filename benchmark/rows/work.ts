// Rows that are a shell command in the root of the tree. The time is taken inside the job, around the work alone.
import type { Contestant } from '../contestants/contestant.ts';
import { type JobOptions, runJob } from '../job.ts';
import type { Bench, Row, State } from './row.ts';

export interface Work {
  /** In sh; its parameters from $1 on are `words`. What it prints must be the same for every contestant. */
  readonly script: string;
  readonly words?: readonly string[];
  /** Done before, in the same mount, without being timed. */
  readonly before?: string;
}

const CLOCK = 'date +%s%N';

/** Runs the work once. */
async function runWork(
  contestant: Contestant,
  work: Work,
  cache: string,
  options: JobOptions,
): Promise<{ seconds: number; commandSeconds: number; printed: string }> {
  const script = [
    'cd "$1" && shift || exit',
    ...(work.before ? [`${work.before} || exit`] : []),
    'times',
    `begin=$(${CLOCK})`,
    work.script,
    `set -- $? $(${CLOCK})`,
    'times',
    'echo "took $(($2 - begin))"',
    'exit $1',
  ].join('\n');
  const command = ['sh', '-c', script, 'sh', contestant.root, ...(work.words ?? [])];
  const { lines } = await runJob(contestant.launch(command, cache), options);
  const took = /^took (\d+)$/.exec(lines.at(-1) ?? '');
  if (!took) throw new Error(`the job did not tell its time: ${lines.at(-1)}`);
  return {
    seconds: Number(took[1]) / 1e9,
    commandSeconds: childSeconds(lines.at(-2)!) - childSeconds(lines[1]),
    printed: lines.slice(2, -3).join('\n'),
  };
}

/** Of the second line of `times`, which is about children: `0m1.23s 0m4.56s`. */
function childSeconds(line: string): number {
  const parts = [...line.matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) throw new Error(`not what \`times\` prints: ${line}`);
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

/** A row from its work. */
export function workRow(row: Omit<Row, 'measure' | 'unit' | 'applies'>, work: Work): Row {
  let expected: { by: string; printed: string } | undefined;
  const measure = async (contestant: Contestant, state: State, bench: Bench) => {
    const run = (cache: string) => runWork(contestant, work, cache, bench.jobOptions);
    // The web server is not what is measured: the first time, it may have to read from its disk.
    if (state === 'cold' && contestant.coldness === 'cache') await run(bench.emptyCache(contestant));
    const cache = state === 'cold' ? bench.emptyCache(contestant) : await bench.fullCache(contestant, run);
    const { seconds, commandSeconds, printed } = await run(cache);
    expected ??= { by: contestant.name, printed };
    if (printed !== expected.printed) {
      throw new Error(`${contestant.name} printed '${printed}', ${expected.by} '${expected.printed}'`);
    }
    return { value: seconds, commandSeconds };
  };
  return { ...row, unit: 's', applies: () => true, measure };
}
