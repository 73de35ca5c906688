// Entry of the bundle: the first argument names the program. Each program is imported when it is the one to run.
import process from 'node:process';
import { inspect } from 'node:util';

type Program = (args: string[]) => Promise<number | undefined>;

const PROGRAMS: Readonly<Record<string, () => Promise<Program>>> = {
  server: async () => (await import('./server.ts')).main,
  cvmfsexec: async () => (await import('./cvmfsexec.ts')).main,
  cvmfs2: async () => (await import('./cvmfs2.ts')).main,
  'cvmfs-publish': async () => (await import('./cvmfs-publish.ts')).main,
  cvmfs_talk: async () => (await import('./cvmfs-talk.ts')).main,
  cvmfs_config: async () => (await import('./cvmfs-config.ts')).main,
  cvmfs_fsck: async () => (await import('./cvmfs-fsck.ts')).main,
  mountrepo: async () => (await import('./mountrepo.ts')).main,
  umountrepo: async () => (await import('./umountrepo.ts')).main,
  'image-facts': async () => (await import('./image-facts.ts')).main,
  'warm-up': async () => (await import('./warm-up.ts')).main,
};

/** Exit code of failures that are the program's own. */
const OWN_FAILURE = 125;
/** Their stdout is a job's or a container's: not even its mode may change. */
const STDOUT_OF_OTHERS = new Set(['server', 'cvmfs2', 'image-facts']);
/** As of one that was killed by that signal, which Node ignores. */
const OF_SIGPIPE = 141;

const [name = '', ...args] = process.argv.slice(2);
const load = PROGRAMS[name];
if (!load) {
  process.stderr.write(`start.cjs: no program is called '${name}'\n`);
  process.exit(OWN_FAILURE);
}
// Whoever read what is printed does not want more of it: `… | head`.
if (!STDOUT_OF_OTHERS.has(name)) {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
    process.exit(code === 'EPIPE' ? OF_SIGPIPE : OWN_FAILURE),
  );
}
load()
  .then((main) => main(args))
  .then(
    (code) => {
      if (code !== undefined) process.exitCode = code;
    },
    (error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${name === 'server' || name === 'image-facts' ? 'cvmfsexec' : name}: ${text}\n`);
      if (process.env.CVMFSEXEC_DEBUG && error instanceof Error) process.stderr.write(`${inspect(error)}\n`);
      process.exit(OWN_FAILURE);
    },
  );
