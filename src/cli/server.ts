// The server of a launch: serves all its repositories from inside the namespaces. Init (src/launcher/init.sh) writes
// `root DIRECTORY` to stdin when there is a directory to mount below; `ready` on stdout tells that everything is mounted.
// Nothing else is ever written to stdout. It ends when init says that the command has ended, or when the last mount does.
import { writeSync } from 'node:fs';
import type { AccessRecorder } from '../filesystem/access-recorder.ts';
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import { LauncherError } from '../launcher/error.ts';
import { mountFuse } from '../launcher/fuse-mount.ts';
import { commandEnded, surviveJobSignals } from '../launcher/job-signals.ts';
import { InputLines } from './input-lines.ts';
import { callerDirectory, closeForeignDescriptors } from './launch-environment.ts';
import { type LaunchWords, parseLaunchWords, resolvePaths } from './launch-words.ts';
import { reporter } from './reporter.ts';
import { openRepository, repositorySession } from './repository-mount.ts';
import { repositorySettings } from './settings/repository.ts';

/** For storing what is only in memory at the end of a job; init waits a little longer. */
const CLOSING_MS = 1500;

export async function main(words: string[]): Promise<number> {
  surviveJobSignals();
  const ended = commandEnded();
  closeForeignDescriptors();
  const launch = resolvePaths(parseLaunchWords(words), callerDirectory());
  const asked = launch.repositories.map((name) => repositorySettings(name, launch, reporter(name)));
  const named = (await Promise.race([ended, Promise.all(asked)])) ?? [];
  // A short name may have been completed to one that is there already.
  const repositories = [...new Map(named.map((settings) => [settings.fqrn, settings])).values()];
  // Begun before the root is there: the network is what takes time.
  const recorderOf = launch.record === undefined ? undefined : await recorders(launch.record);
  const opened = repositories.map((settings) => openRepository({ ...settings, recorder: recorderOf?.(settings.fqrn) }));
  const mounts = await Promise.race([ended, mountAll(repositories, opened, launch)]);
  if (mounts) {
    await Promise.race([ended, Promise.all(mounts.map((mount) => mount.ended))]);
    await Promise.race([closeAll(opened), sleep(CLOSING_MS)]);
  }
  // Everything is put away, and the job waits for this end: Node's own would take some milliseconds more.
  process.kill(process.pid, 'SIGKILL');
  return 0;
}

/** Resolves when init knows that all are mounted; to undefined when it is no longer interested. */
async function mountAll(
  repositories: readonly RepositorySettings[],
  opened: readonly Promise<MountedRepository>[],
  launch: LaunchWords,
): Promise<{ ended: Promise<void> }[] | undefined> {
  const lines = new InputLines(0);
  const directory = rootDirectory(await Promise.race([lines.next(), failure(opened)]));
  const mounts = await Promise.all(repositories.map((settings, i) => serve(settings, directory, opened[i], launch)));
  try {
    writeSync(1, 'ready\n');
  } catch {
    return undefined; // a signal ended the starter
  }
  return mounts;
}

async function closeAll(opened: readonly Promise<MountedRepository>[]): Promise<void> {
  await Promise.all(opened.map(async (repository) => (await repository).close()));
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Opens the record at once: later the root is another one. */
async function recorders(file: string): Promise<(fqrn: string) => AccessRecorder> {
  const [{ RecordFile }, { Recorder }] = await Promise.all([
    import('../preload/record-file.ts'),
    import('../preload/recorder.ts'),
  ]);
  const { write } = RecordFile.open(file, reporter('--record'));
  return (fqrn) => new Recorder(fqrn, write);
}

/** Resolves when the repository is mounted and answers. */
async function serve(
  settings: RepositorySettings,
  directory: string,
  opened: Promise<MountedRepository>,
  { debug }: LaunchWords,
): Promise<{ ended: Promise<void> }> {
  const { fd, mounted } = mountFuse('cvmfs2', `${directory}/${settings.fqrn}`);
  mounted.catch(() => {});
  const session = repositorySession(await opened, settings, { fd, readOnlyMount: true, debug });
  const ended = session.start().catch((error: Error) => settings.report(error.message));
  await mounted;
  settings.log?.note(`CernVM-FS: linking ${directory}/${settings.fqrn} to repository ${settings.fqrn}`);
  return { ended };
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
