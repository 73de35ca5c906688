// The program `cvmfs2`: serves one repository at a mount point, or on a descriptor that a container runtime has mounted, with
// the command line and exit codes of the reference client (client.md §9.1, §9.2).
import { statSync } from 'node:fs';
import type { MountedRepository } from '../filesystem/mounted-repository.ts';
import { parseCommandLine, type ToServe } from './cvmfs2/command-line.ts';
import { isInBackground, startInBackground, tellReady, thisProgram } from './cvmfs2/daemon.ts';
import { askedToEnd, dieOf } from './cvmfs2/ending.ts';
import { ExitCode, exitCodeOf, explainFailure } from './cvmfs2/exit-codes.ts';
import { MountByRoot } from './cvmfs2/mount-by-root.ts';
import { become, MountByUser, type Received, received, receiver } from './cvmfs2/mount-by-user.ts';
import { type MountPoint, mountPoint } from './cvmfs2/mount-point.ts';
import type { OwnMount } from './cvmfs2/own-mount.ts';
import { closeForeignDescriptors } from './launch-environment.ts';
import { type LaunchWords, parseLaunchWords, resolvePaths } from './launch-words.ts';
import { reporter, writeLine } from './reporter.ts';
import { openRepository, repositorySession } from './repository-mount.ts';
import { repositorySettings } from './settings/repository.ts';
import { TalkSockets } from './talk-sockets.ts';

/** For storing what is only in memory. Whoever ends us does not wait long. */
const CLOSING_MS = 1000;

export async function main(words: string[]): Promise<number> {
  let code: number;
  try {
    code = await run(words);
  } catch (error) {
    writeLine(`cvmfs2: ${explainFailure(error)}`);
    code = exitCodeOf(error);
  }
  // Whatever still waits for the network is of no use any more.
  process.exit(code);
}

async function run(words: string[]): Promise<number> {
  const background = isInBackground();
  const line = parseCommandLine(words);
  if (line.action === 'help' || line.action === 'version') {
    const { helpText, versionText } = await import('./cvmfs2/help.ts');
    process.stdout.write(line.action === 'help' ? helpText() : versionText());
    return ExitCode.ok;
  }
  if (line.action === 'parse') {
    const { parameterList } = await import('./cvmfs2/parameter-list.ts');
    process.stdout.write(await parameterList(line.repository, launchOf(line)));
    return ExitCode.ok;
  }
  const given = received();
  const ready = background ? tellReady : () => {};
  if (given) {
    closeForeignDescriptors();
    return serve(line, given, ready);
  }
  const place = mountPoint(line.mountPoint);
  const through = 'directory' in place && process.getuid?.() !== 0 ? receiver(place.directory, line) : undefined;
  if (!line.foreground) return startInBackground(words, { ...place, receiver: through });
  if (through) become([...through, thisProgram(), ...words]);
  closeForeignDescriptors();
  return serve(line, place, ready);
}

/** undefined: whoever mounted the descriptor unmounts it. */
function ownMount(place: MountPoint | Received, line: ToServe): OwnMount | undefined {
  if (!('directory' in place)) return undefined;
  if ('fd' in place) return new MountByUser(place.directory, line, place.fd);
  return process.getuid?.() === 0 ? new MountByRoot(place.directory, line) : new MountByUser(place.directory, line);
}

/** @param ready called when the file system answers */
async function serve(line: ToServe, place: MountPoint | Received, ready: () => void): Promise<number> {
  const launch = launchOf(line);
  process.chdir('/'); // another file system must not stay busy for this one
  process.title = `cvmfs2 ${line.repository}`;
  const own = ownMount(place, line);
  const asked = askedToEnd(own !== undefined);
  let opened: MountedRepository | undefined;
  let sockets: TalkSockets | undefined;

  const serving = async (): Promise<undefined> => {
    const settings = await repositorySettings(line.repository, launch, reporter(line.repository, 'cvmfs2'));
    opened = await openRepository(settings);
    const fd = 'fd' in place ? place.fd : await own!.descriptor();
    const session = repositorySession(opened, settings, { fd, readOnlyMount: own !== undefined, debug: line.debug });
    const ended = session.start();
    await Promise.race([own?.mount(), ended]);
    opened.followRevisions(session.notify);
    if (own) process.stdout.write(`CernVM-FS: mounted cvmfs on ${line.mountPoint}\n`);
    settings.log?.note(`CernVM-FS: linking ${line.mountPoint} to repository ${settings.fqrn}`);
    sockets = new TalkSockets();
    sockets.add({ ended, repository: opened, settings, mountpoint: line.mountPoint });
    ready();
    await ended;
    settings.log?.note(`CernVM-FS: unmounted ${line.mountPoint} (${settings.fqrn})`);
  };

  const signal = await Promise.race([asked, serving()]).catch(async (error) => {
    await own?.unmount();
    throw error;
  });
  sockets?.close();
  if (signal) await own?.unmount();
  await settle(opened);
  // Somebody else's mount is still there, and a thread of ours may wait for the kernel's answer about it.
  if (signal && !own) dieOf(signal);
  return ExitCode.ok;
}

async function settle(opened: MountedRepository | undefined): Promise<void> {
  await Promise.race([opened?.close(), new Promise((resolve) => setTimeout(resolve, CLOSING_MS))]);
}

/** Paths become absolute. */
function launchOf({ repository, parameters, configFiles, debug }: ToServe): LaunchWords {
  const words = parseLaunchWords([repository]);
  // Like `--config` of the other programs.
  const configDirectory = configFiles?.length === 1 && isDirectory(configFiles[0]) ? configFiles[0] : undefined;
  const files = configFiles && !configDirectory ? { configFiles } : {};
  return resolvePaths({ ...words, parameters, debug, configDirectory, ...files }, process.cwd());
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
