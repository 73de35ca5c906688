// The subcommands of `cvmfsexec`, each imported when it is the one to run. bin/cvmfsexec has the same names: it decides
// by them what is not a launch.

/** Gets the words behind the subcommand's name; resolves to the exit code. */
export type Subcommand = (args: string[]) => Promise<number>;

export const SUBCOMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Subcommand> }>> = {
  config: {
    summary: 'print every parameter of a repository, and where its value comes from',
    load: async () => (await import('./config.ts')).main,
  },
  stat: {
    summary: 'how a mounted repository is doing',
    load: async () => (await import('./stat.ts')).main,
  },
  probe: {
    summary: 'mount repositories for a moment, to see whether they can be',
    load: async () => (await import('./probe.ts')).main,
  },
  doctor: {
    summary: 'find out what is in the way of mounting, and what to do about it',
    load: async () => (await import('./doctor.ts')).main,
  },
  cache: {
    summary: 'show, check, limit, clean up or wipe the cache',
    load: async () => (await import('./cache.ts')).main,
  },
  completion: {
    summary: 'print a completion for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).main,
  },
  preload: {
    summary: 'fill a cache with parts of repositories, for jobs without network',
    load: async () => (await import('./preload.ts')).main,
  },
  makedist: {
    summary: 'write a single executable file that needs nothing installed',
    load: async () => (await import('./makedist.ts')).main,
  },
  diff: {
    summary: 'list what jobs have changed through --overlay REPO:DIR',
    load: async () => (await import('./diff.ts')).main,
  },
  pack: {
    summary: 'make a tar archive of what jobs have changed, to publish it',
    load: async () => (await import('./pack.ts')).main,
  },
};
