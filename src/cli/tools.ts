// Entry of the bundle of all programs that serve nothing. Each is imported when it is the one to run.
import { runProgram } from './run-program.ts';

/** As of one that was killed by SIGPIPE, which Node ignores. */
const OF_SIGPIPE = 141;

// Whoever read what is printed does not want more of it: `… | head`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? OF_SIGPIPE : 125));

runProgram({
  cvmfsexec: async () => (await import('./cvmfsexec.ts')).main,
  'cvmfs-publish': async () => (await import('./cvmfs-publish.ts')).main,
  cvmfs_talk: async () => (await import('./cvmfs-talk.ts')).main,
  cvmfs_config: async () => (await import('./cvmfs-config.ts')).main,
  cvmfs_fsck: async () => (await import('./cvmfs-fsck.ts')).main,
  mountrepo: async () => (await import('./mountrepo.ts')).main,
  umountrepo: async () => (await import('./umountrepo.ts')).main,
});
