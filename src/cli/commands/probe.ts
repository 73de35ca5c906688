// `cvmfsexec probe`: whether repositories can be mounted (client.md §9.5), by mounting them.

import { askedRepositories } from '../settings/asked-repositories.ts';
import { type Trial, tryMount } from '../trial-mount.ts';
import { repositorySubcommand } from './repository-arguments.ts';

export const main = repositorySubcommand({
  name: 'probe',
  description: 'Mount repositories, look whether they are there, and unmount them.',
  examples: ['probe atlas.cern.ch sft.cern.ch', 'probe --json -o CVMFS_HTTP_PROXY=http://proxy:3128 atlas.cern.ch'],
  repositories: 'optional',
  async run({ launch, json }) {
    const trials: Trial[] = [];
    for (const name of askedRepositories(launch)) {
      if (!json) process.stdout.write(`Probing /cvmfs/${name}... `);
      const trial = await tryMount(name, launch);
      trials.push(trial);
      if (!json) process.stdout.write(trial.mounted ? 'OK\n' : 'Failed!\n');
      if (!json && trial.reason) process.stderr.write(`${trial.reason}\n`);
    }
    if (json) process.stdout.write(`${JSON.stringify(trials, undefined, 2)}\n`);
    return trials.every(({ mounted }) => mounted) ? 0 : 1;
  },
});
