// The server of a launch: serves all its repositories from inside the namespaces. Its parent, the sh of pid 1, writes
// `root DIRECTORY` to stdin when there is a directory to mount below; `ready` on stdout tells that everything is mounted.
// The end of stdin tells that it is no longer needed. Nothing else is ever written to stdout.
import { writeSync } from 'node:fs';
import { MountedRepository, type RepositorySettings } from '../filesystem/mounted-repository.ts';
import { Session } from '../fuse/session.ts';
import { LauncherError } from '../launcher/error.ts';
import { mountFuse } from '../launcher/fuse-mount.ts';
import { InputLines } from './input-lines.ts';
import { type LaunchWords, parseLaunchWords } from './launch-words.ts';
import { reporter, writeLine } from './reporter.ts';
import { repositorySettings } from './repository-settings.ts';

/** Seconds for which the kernel may keep names and attributes: for as long as the mount lasts. */
const FOREVER = 10 * 365 * 86_400;

export async function main(words: string[]): Promise<number> {
  const launch = parseLaunchWords(words);
  const repositories = launch.repositories.map((name) => repositorySettings(name, launch, reporter(name)));
  const lines = new InputLines(0);
  // Begun before the root is there: the network is what takes time.
  const opened = repositories.map((settings) => open(settings));
  const directory = rootDirectory(await Promise.race([lines.next(), failure(opened)]));
  const mounts = repositories.map((settings, i) => serve(settings.fqrn, directory, opened[i], launch));
  await Promise.all(mounts);
  writeSync(1, 'ready\n');
  while ((await lines.next()) !== undefined);
  await Promise.all(opened.map(async (repository) => (await repository).close()));
  return 0;
}

async function open(settings: RepositorySettings): Promise<MountedRepository> {
  try {
    return await MountedRepository.open(settings);
  } catch (cause) {
    throw new Error(`cannot mount ${settings.fqrn}: ${(cause as Error).message}`, { cause });
  }
}

/** Resolves when the repository is mounted and answers. */
async function serve(
  fqrn: string,
  directory: string,
  opened: Promise<MountedRepository>,
  launch: LaunchWords,
): Promise<void> {
  const { fd, mounted } = mountFuse('cvmfs2', `${directory}/${fqrn}`);
  mounted.catch(() => {});
  const { operations } = await opened;
  const report = reporter(fqrn);
  const session = new Session({
    fd,
    operations,
    answerOpen: false,
    readOnlyMount: true,
    listXattr: true,
    entryTimeout: FOREVER,
    attributeTimeout: FOREVER,
    onError: (request, reason) => report(`${request}: ${reason instanceof Error ? reason.message : String(reason)}`),
    ...(launch.debug ? { debug: (line: string) => writeLine(`${fqrn} ${line}`) } : {}),
  });
  session.start().catch((error: Error) => report(error.message));
  await mounted;
}

function rootDirectory(line: string | undefined): string {
  const match = /^root (\/.*)$/.exec(line ?? '');
  if (!match) throw new LauncherError('NO_ROOT', 'the root directory of the job could not be set up');
  return match[1];
}

/** Rejects when one of them does; never resolves. */
function failure(promises: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const promise of promises) promise.catch(reject);
  });
}
