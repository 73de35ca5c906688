// The end of every entry: runs the program that the first argument names, and tells how it failed.
import { inspect } from 'node:util';

export type Program = (args: string[]) => Promise<number | undefined>;
type Programs = Readonly<Record<string, () => Program | Promise<Program>>>;

/** Exit code of failures that are the program's own. */
const OWN_FAILURE = 125;
/** People know these, which are parts of a launch, by one name. */
const PARTS_OF_A_LAUNCH = new Set(['server', 'image-facts']);

export function runProgram(programs: Programs): void {
  const [name = '', ...args] = process.argv.slice(2);
  run(name, args, programs).then(
    (code) => {
      if (code !== undefined) process.exitCode = code;
    },
    (error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${PARTS_OF_A_LAUNCH.has(name) ? 'cvmfsexec' : name}: ${text}\n`);
      if (process.env.CVMFSEXEC_DEBUG && error instanceof Error) process.stderr.write(`${inspect(error)}\n`);
      process.exit(OWN_FAILURE);
    },
  );
}

async function run(name: string, args: string[], programs: Programs): Promise<number | undefined> {
  const load = programs[name];
  if (!load) throw new Error(`no program of start.cjs is called '${name}'`);
  return (await load())(args);
}
