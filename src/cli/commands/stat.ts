// `cvmfsexec stat`: what running jobs say of a repository (client.md §9.5).
import type { MountStatus } from '../../talk/mount-status.ts';
import { statusOfAll, statusOfNewest } from '../../talk/running.ts';
import type { SocketPlace } from '../../talk/socket-place.ts';
import { statLines, statTable } from '../../talk/stat-text.ts';
import { liveServers, TalkError } from '../../talk/talk-client.ts';
import { askedRepositories } from '../settings/asked-repositories.ts';
import { talkPlace } from '../talk-place.ts';
import { repositorySubcommand } from './repository-arguments.ts';

export const main = repositorySubcommand({
  name: 'stat',
  description:
    'Show how a mounted repository is doing: revision, cache, network, errors. Asks the job that was started last; jobs are ' +
    'found by their cache, so give the -o and --config that the job was started with.',
  examples: [
    'stat atlas.cern.ch',
    'stat --all atlas.cern.ch',
    'stat --json -o CVMFS_CACHE_BASE=/scratch/cache atlas.cern.ch',
  ],
  repositories: 'optional',
  configure: (command) => command.option('--all', 'a line for each job of yours on this node'),
  async run({ launch, json, flags }) {
    const all: MountStatus[] = [];
    let missing = false;
    for (const name of askedRepositories(launch)) {
      const { fqrn, place } = await talkPlace(name, launch);
      try {
        const found = flags.all ? await statusOfAll(place) : [await statusOfNewest(place)];
        if (found.length === 0) throw new TalkError('NOT_RUNNING', '');
        all.push(...found);
        if (!json && !flags.all) await print(found[0], place, launch.repositories.length !== 1);
      } catch (error) {
        missing = true;
        process.stderr.write(`cvmfsexec: ${whyNot(fqrn, place, error as Error)}\n`);
      }
    }
    if (json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    else if (flags.all && all.length > 0) process.stdout.write(`${statTable(all).join('\n')}\n`);
    return missing ? 1 : 0;
  },
});

async function print(status: MountStatus, place: SocketPlace, headed: boolean): Promise<void> {
  const lines = statLines(status);
  if (headed) lines.unshift('', `${status.fqrn}:`);
  const { length } = await liveServers(place);
  if (length > 1) lines.push(`(of the job started last; ${length} run with this cache: --all shows each)`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Says what to do about it. */
export function whyNot(fqrn: string, { directory }: SocketPlace, error: Error): string {
  if (!(error instanceof TalkError) || error.code !== 'NOT_RUNNING') return `${fqrn}: ${error.message}`;
  return (
    `${fqrn}: no job of yours is running with the cache in ${directory}: start one (cvmfsexec ${fqrn} -- COMMAND), ` +
    'or give the -o and --config that it was started with'
  );
}
