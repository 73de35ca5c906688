// The subcommands of `cvmfsexec`, each imported when it is the one to run. bin/cvmfsexec has the same names: it decides
// by them what is not a launch.

/** Gets the words behind the subcommand's name; resolves to the exit code. */
export type Subcommand = (args: string[]) => Promise<number>;

export const SUBCOMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Subcommand> }>> = {
  preload: {
    summary: 'fill a cache with parts of repositories, for jobs without network',
    load: async () => (await import('./preload.ts')).main,
  },
};
