// cvmfs_talk: sends a command to a running mount and prints its answer (client.md §9.4). Words as the original's; -o and
// --config are those of cvmfsexec, and say which cache the mount uses.

import { COMMANDS } from '../talk/commands.ts';
import { pidHere } from '../talk/outer-pid.ts';
import { SocketPlace } from '../talk/socket-place.ts';
import { ask, TalkError } from '../talk/talk-client.ts';
import { type LaunchWords, parseLaunchWords, resolvePaths } from './launch-words.ts';
import { askedRepositories } from './settings/asked-repositories.ts';
import { talkPlace } from './talk-place.ts';
import { hintingAt } from './usage-error.ts';

const USAGE = `Usage: cvmfs_talk [-i <repository>] [-p <socket>] [-o KEY=VALUE]... [--config DIR] <command>

Example:
  cvmfs_talk -i atlas.cern.ch cache size
  cvmfs_talk -i atlas.cern.ch -o CVMFS_CACHE_BASE=/scratch/cache proxy info

  -i <repository>   which mount; default: all in CVMFS_REPOSITORIES
  -p <socket>       the socket of the mount, instead of finding it
  -o, --config      as the job was started with: jobs are found by their cache

Commands:
`;

interface Words {
  readonly instance?: string;
  readonly socket?: string;
  readonly launch: readonly string[];
  readonly command: string;
}

export async function main(args: string[]): Promise<number> {
  const { instance, socket, launch: options, command } = parse(args);
  if (command === '') {
    const text = [...COMMANDS.values()].map(({ words, argument }) => `  ${words}${argument ? ` ${argument}` : ''}\n`);
    const asked = args.some((word) => word === '-h' || word === '--help');
    (asked ? process.stdout : process.stderr).write(`${USAGE}${text.sort().join('')}`);
    return asked ? 0 : 1;
  }
  if (socket) return talk(new SocketPlace(socket.includes('/') ? socket : `./${socket}`), command);
  const launch = resolvePaths(
    hintingAt('cvmfs_talk', () => parseLaunchWords([...options, ...(instance ? [instance] : [])], 'optional')),
    process.cwd(),
  );
  let failures = 0;
  for (const name of askedRepositories(launch)) {
    if (!instance) process.stdout.write(`${name}:\n`);
    failures += await talkTo(name, launch, command);
  }
  return failures > 0 ? 1 : 0;
}

async function talkTo(name: string, launch: LaunchWords, command: string): Promise<number> {
  const { place } = await talkPlace(name, launch);
  return talk(place, command);
}

async function talk(place: SocketPlace, command: string): Promise<number> {
  try {
    const isPid = command === 'pid' || command === 'pid cachemgr';
    const answer = isPid ? await askPid(place, command) : await ask(place, Buffer.from(command).toString('latin1'));
    process.stdout.write(Buffer.from(answer, 'latin1'));
    return 0;
  } catch (error) {
    if (!(error instanceof TalkError)) throw error;
    const [socket, workspace] = [place.path(place.name), place.directory];
    const gone = `Seems like CernVM-FS is not running in ${workspace} (not found: ${socket})`;
    process.stderr.write(`${error.code === 'NOT_RUNNING' ? gone : error.message}\n`);
    return 1;
  }
}

/** As it is called here, not in the job's pid namespace. */
async function askPid(place: SocketPlace, command: string): Promise<string> {
  try {
    const { pid, pidNamespace } = JSON.parse(await ask(place, 'status json'));
    return `${pidHere(pid, pidNamespace) ?? pid}\n`;
  } catch (error) {
    if (error instanceof TalkError) throw error;
    return ask(place, command); // a reference client
  }
}

/** Options end at the first other word: `cache limit set` has no dashes, but a path may. */
function parse(args: readonly string[]): Words {
  const queue = [...args];
  const launch: string[] = [];
  let instance: string | undefined;
  let socket: string | undefined;
  while (queue[0]?.startsWith('-')) {
    const word = queue.shift() as string;
    if (word === '-h' || word === '--help') return { launch, command: '' };
    if (word === '--') break;
    const value = queue.shift();
    if (value === undefined) throw new Error(`option ${word} needs a value; see cvmfs_talk --help`);
    if (word === '-i') instance = value;
    else if (word === '-p') socket = value;
    else if (word === '-o' || word === '--config') launch.push(word, value);
    else throw new Error(`unknown option ${word}; see cvmfs_talk --help`);
  }
  return { instance, socket, launch, command: queue.join(' ') };
}
