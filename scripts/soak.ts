// `npm run soak -- NAME [--seconds N] [--seed N]`: runs a soak test in its long form, or for so many seconds.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faultStorm } from '../soak/fault-storm.ts';
import { manyLaunchers } from '../soak/many-launchers.ts';
import { serverKill } from '../soak/server-kill.ts';
import type { Soak } from '../soak/soak.ts';
import { switchKill } from '../soak/switch-kill.ts';

const SOAKS: ReadonlyMap<string, Soak> = new Map([
  ['server-kill', serverKill],
  ['switch-kill', switchKill],
  ['fault-storm', faultStorm],
  ['many-launchers', manyLaunchers],
]);

const USAGE = `Usage: npm run soak -- NAME [options]

${[...SOAKS].map(([name, { summary, seconds }]) => `  ${name.padEnd(16)}${summary} (${seconds} s)`).join('\n')}

  --seconds N   for how long; default: as above
  --seed N      makes the same choices as the run that printed this seed
`;

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const soak = SOAKS.get(positionals[0] ?? '');
  if (values.help || positionals.length === 0) process.stdout.write(USAGE);
  else if (!soak || positionals.length > 1) throw new Error(`no soak is called '${positionals.join(' ')}'\n\n${USAGE}`);
  else await run(soak, positionals[0], number(values.seconds, soak.seconds), number(values.seed, Date.now() % 1e6));
} catch (error) {
  console.error(`soak: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function run(soak: Soak, name: string, seconds: number, seed: number): Promise<void> {
  execFileSync(process.execPath, [join(import.meta.dirname, 'build.ts')], { stdio: ['ignore', 'inherit', 'inherit'] });
  console.log(`${name}: ${seconds} s, --seed ${seed}`);
  const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
  console.log(`${name}: ${await soak.run({ seconds, seed, say })}`);
}

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text}: expected a whole number from 1`);
  return value;
}
