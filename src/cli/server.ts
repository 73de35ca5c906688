// The server of a launch: serves all its repositories from inside the namespaces. Its parent (src/launcher/serve.sh)
// writes `root DIRECTORY` to stdin when there is a directory to mount below; `ready` on stdout tells that everything is
// mounted. Nothing else is ever written to stdout. It ends when init says that the command has ended, or when the last
// mount does. If it is killed, its parent starts another one, which takes over the mounts.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { AccessRecorder } from '../filesystem/access-recorder.ts';
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import type { Session } from '../fuse/session.ts';
import { LauncherError } from '../launcher/error.ts';
import { mountFuse } from '../launcher/fuse-mount.ts';
import { commandEnded, surviveJobSignals } from '../launcher/job-signals.ts';
import { Handover, type MountDescriptor } from './handover.ts';
import { callerDirectory, closeForeignDescriptors, inheritance } from './launch-environment.ts';
import { type LaunchWords, parseLaunchWords, resolvePaths } from './launch-words.ts';
import { reporter } from './reporter.ts';
import { openRepository, repositorySession } from './repository-mount.ts';
import { repositorySettings } from './settings/repository.ts';
import { type ServedMount, TalkSockets } from './talk-sockets.ts';

/** For storing what is only in memory at the end of a job; init waits a little longer. */
const CLOSING_MS = 1500;
/** For how long a server that takes over tries again: those who wait for it have time. */
const AGAIN_LIMIT_MS = 300_000;
const INIT_LIMIT_MS = 10_000;

export async function main(words: string[]): Promise<number> {
  surviveJobSignals();
  const ended = commandEnded();
  closeForeignDescriptors();
  const handover = new Handover(inheritance());
  const launch = resolvePaths(parseLaunchWords(words), callerDirectory());
  // What the server before had open can be opened again, if perhaps not while the network is away.
  // The cache may be in what is mounted with the root.
  if (launch.scratch !== undefined) await Promise.race([ended, handover.rootDirectory()]);
  const patiently = handover.restarted ? again : once;
  const asked = launch.repositories.map((name) => {
    const report = reporter(name);
    return patiently(() => repositorySettings(name, launch, report), report);
  });
  const named = (await Promise.race([ended, Promise.all(asked)])) ?? [];
  // A short name may have been completed to one that is there already.
  const repositories = [...new Map(named.map((settings) => [settings.fqrn, settings])).values()];
  // Begun before the root is there: the network is what takes time.
  const recorderOf = launch.record === undefined ? undefined : await recorders(launch.record);
  const opened = repositories.map((settings) => {
    const { fqrn } = settings;
    const all = { ...settings, recorder: recorderOf?.(fqrn), journal: handover.nodeJournal(fqrn) };
    return patiently(() => openRepository(all), settings.report);
  });
  const mounts = await Promise.race([ended, mountAll(repositories, opened, launch, handover)]);
  if (mounts) {
    const sockets = new TalkSockets(mounts);
    if (mounts.length === 0) await withoutMounts(ended);
    else await Promise.race([ended, Promise.all(mounts.map((mount) => mount.ended))]);
    sockets.close();
    await Promise.race([closeAll(opened), sleep(CLOSING_MS)]);
  }
  // Everything is put away, and the job waits for this end: Node's own would take some milliseconds more. By this signal
  // the parent knows that nothing is to be taken over.
  process.kill(process.pid, 'SIGALRM');
  return 0;
}

/** Resolves when init knows that all are mounted; to undefined when it is no longer interested. */
async function mountAll(
  repositories: readonly RepositorySettings[],
  opened: readonly Promise<MountedRepository>[],
  launch: LaunchWords,
  handover: Handover,
): Promise<ServedMount[] | undefined> {
  const root = await Promise.race([handover.rootDirectory(), failure(opened)]);
  const mounts = await Promise.all(
    repositories.map((settings, i) => {
      const directory = `${root}/${settings.fqrn}`;
      return serve(settings, directory, handover.descriptor(settings.fqrn, i), opened[i], launch);
    }),
  );
  handover.serving();
  try {
    writeSync(1, 'ready\n');
  } catch {
    // A signal ended the starter; or it had this from the server before, and has become the command.
    if (!handover.restarted) return undefined;
  }
  return mounts;
}

type Attempt = <T>(action: () => Promise<T>, report: (message: string) => void) => Promise<T>;

const once: Attempt = (action) => action();

const again: Attempt = async (action, report) => {
  const deadline = performance.now() + AGAIN_LIMIT_MS;
  for (let pause = 200; ; pause = Math.min(2 * pause, 5000)) {
    try {
      return await action();
    } catch (error) {
      if (performance.now() + pause > deadline) throw error;
      report(`${(error as Error).message}; trying again`);
    }
    await sleep(pause);
  }
};

/** An image that is in no repository needs none: nothing keeps Node running then. */
async function withoutMounts(ended: Promise<void>): Promise<void> {
  const alive = setInterval(() => {}, 2 ** 30);
  await ended;
  clearInterval(alive);
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
  descriptor: MountDescriptor,
  opened: Promise<MountedRepository>,
  { debug }: LaunchWords,
): Promise<ServedMount> {
  const { fd, adopted, negotiated } = descriptor;
  const mounted = adopted ? Promise.resolve() : mountFuse(fd, 'cvmfs2', directory);
  mounted.catch(() => {});
  const askSomething = () => lookAt(directory);
  const options = { ...descriptor, readOnlyMount: true, debug, askSomething };
  const repository = await opened;
  const session = repositorySession(repository, settings, options);
  const ended = session.start().catch((error: Error) => settings.report(error.message));
  await mounted;
  if (adopted && !negotiated) await initialized(session, settings.fqrn);
  settings.log?.note(`CernVM-FS: linking ${directory} to repository ${settings.fqrn}`);
  repository.followRevisions(session.notify);
  return { ended, repository, settings, mountpoint: directory };
}

/** The server before was killed while the kernel waited for its first answer. Only newer kernels ask again. */
async function initialized({ ready }: Session, fqrn: string): Promise<void> {
  const late = sleep(INIT_LIMIT_MS).then(() => {
    throw new LauncherError('NOT_KEPT', `cannot take over ${fqrn}: its server was killed while it was being mounted`);
  });
  await Promise.race([ready, late]);
}

/** By another process: this one must not wait for its own answer. */
function lookAt(directory: string): void {
  spawn('stat', ['-f', directory], { stdio: 'ignore' }).on('error', () => {});
}

/** Rejects when one of them does; never resolves. */
function failure(promises: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const promise of promises) promise.catch(reject);
  });
}
