// The repositories that the server of a job serves: those that the launch names, and those that are mounted while it runs.
import { spawn } from 'node:child_process';
import { rmdirSync } from 'node:fs';
import type { AccessRecorder } from '../filesystem/access-recorder.ts';
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import type { Session } from '../fuse/session.ts';
import { LauncherError } from '../launcher/error.ts';
import { mountFuse, unmount } from '../launcher/fuse-mount.ts';
import { watchForStrandedServer } from '../launcher/stranded-server.ts';
import type { Handover, MountPlace } from './handover.ts';
import type { LaunchWords } from './launch-words.ts';
import { again, once } from './patience.ts';
import { reporter } from './reporter.ts';
import { openRepository, repositorySession } from './repository-mount.ts';
import { repositorySettings } from './settings/repository.ts';
import { type ServedMount, TalkSockets } from './talk-sockets.ts';

const INIT_LIMIT_MS = 10_000;

interface JobMount extends ServedMount {
  readonly place: MountPlace;
  /** Somebody asked for its end. */
  unmounting: boolean;
}

/** On its way to being mounted. */
interface Opening {
  readonly settings: RepositorySettings;
  readonly place: MountPlace;
  readonly repository: Promise<MountedRepository>;
}

export class JobMounts {
  /** Resolves when nothing is mounted any more that was not unmounted on request. */
  readonly ended: Promise<void>;
  readonly #launch: LaunchWords;
  readonly #handover: Handover;
  /** What is mounted, and what is being mounted, by name. */
  readonly #mounts = new Map<string, Promise<JobMount>>();
  readonly #openings: Promise<MountedRepository>[] = [];
  readonly #sockets = new TalkSockets();
  /** Names as on the command line, and what they were completed to. */
  completedNames: readonly (readonly [string, string])[] = [];
  #recorderOf: ((fqrn: string) => AccessRecorder) | undefined;
  #resolveEnded!: () => void;
  #root!: string;

  constructor(launch: LaunchWords, handover: Handover) {
    this.#launch = launch;
    this.#handover = handover;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** Mounts what the launch names, or takes it over together with what was mounted later. Resolves when all is answered. */
  async start(): Promise<void> {
    const handover = this.#handover;
    // The cache may be in what is mounted with the root.
    if (this.#launch.scratch !== undefined) await handover.rootDirectory();
    const named = await Promise.all(this.#launch.repositories.map((name) => this.#settings(name)));
    this.completedNames = this.#launch.repositories.map((name, i) => [name, named[i].fqrn]);
    // A short name may have been completed to one that is there already.
    const settings = [...new Map(named.map((one) => [one.fqrn, one])).values()];
    if (this.#launch.record !== undefined) this.#recorderOf = await recorders(this.#launch.record);
    // Begun before the root is there: the network is what takes time.
    const openings = settings.flatMap((one, index) => {
      const place = handover.named(one.fqrn, index);
      return place ? [this.#open(one, place)] : [];
    });
    if (handover.restarted) {
      for (const [fqrn, place] of handover.takenOver()) openings.push(this.#open(await this.#settings(fqrn), place));
    }
    this.#root = await Promise.race([handover.rootDirectory(), failure(openings)]);
    await Promise.all(openings.map((opening) => this.#keep(opening.settings.fqrn, this.#serve(opening))));
  }

  /**
   * Mounts one more; resolves when it is there.
   * @throws LauncherError, ConfigError, and what says why it cannot be opened
   */
  async mount(name: string): Promise<void> {
    const settings = await repositorySettings(name, this.#launch, reporter(name));
    const { fqrn } = settings;
    const present = this.#mounts.get(fqrn);
    await (present ?? this.#keep(fqrn, this.#mountLater(settings)));
  }

  /** @param lazy also when it is in use: its users keep it, nobody else can enter */
  async unmount(name: string, lazy: boolean, mayBeGone: boolean): Promise<void> {
    const { fqrn } = await repositorySettings(name, this.#launch, () => {});
    const mount = await this.#mounts.get(fqrn)?.catch(() => undefined);
    if (!mount) {
      if (mayBeGone) return;
      throw new LauncherError('NOT_MOUNTED', `cannot unmount ${fqrn}: it is not mounted in this job`);
    }
    mount.unmounting = true;
    try {
      await unmount(mount.mountpoint, lazy);
    } catch (error) {
      mount.unmounting = false;
      throw error;
    }
    this.#mounts.delete(fqrn);
    mount.place.end();
    removeDirectory(mount.mountpoint);
    // One that is still in use is served until it is not.
    if (!lazy) await mount.ended;
  }

  /** Ends the talk sockets, and stores what is only in memory. */
  async close(): Promise<void> {
    this.#sockets.close();
    await Promise.all(this.#openings.map(async (repository) => (await repository).close()));
  }

  #settings(name: string): Promise<RepositorySettings> {
    const report = reporter(name);
    return this.#patiently(() => repositorySettings(name, this.#launch, report), report);
  }

  /** What the server before had open can be opened again, if perhaps not while the network is away. */
  get #patiently() {
    return this.#handover.restarted ? again : once;
  }

  #open(settings: RepositorySettings, place: MountPlace, attempt = this.#patiently): Opening {
    const all = { ...settings, recorder: this.#recorderOf?.(settings.fqrn), journal: place.nodes };
    const repository = attempt(() => openRepository(all), settings.report);
    this.#openings.push(repository);
    return { settings, place, repository };
  }

  async #mountLater(settings: RepositorySettings): Promise<JobMount> {
    const place = this.#handover.later(settings.fqrn);
    const opening = this.#open(settings, place, once);
    try {
      // A repository that is none leaves no mount behind, and no directory.
      await opening.repository;
      return await this.#serve(opening);
    } catch (error) {
      this.#forget(opening);
      place.end();
      throw error;
    }
  }

  #keep(fqrn: string, mounting: Promise<JobMount>): Promise<JobMount> {
    this.#mounts.set(fqrn, mounting);
    mounting.then(
      (mount) => this.#follow(mount, mounting),
      () => this.#mounts.delete(fqrn),
    );
    return mounting;
  }

  #follow(mount: JobMount, mounting: Promise<JobMount>): void {
    this.#sockets.add(mount);
    mount.ended.then(() => {
      this.#sockets.remove(mount);
      mount.place.end();
      if (this.#mounts.get(mount.settings.fqrn) === mounting) this.#mounts.delete(mount.settings.fqrn);
      if (this.#mounts.size === 0 && !mount.unmounting) this.#resolveEnded();
      if (mount.unmounting) mount.repository.close().catch(() => {});
    });
  }

  #forget({ repository }: Opening): void {
    this.#openings.splice(this.#openings.indexOf(repository), 1);
    repository.then((opened) => opened.close()).catch(() => {});
  }

  /** Resolves when the repository is mounted and answers. */
  async #serve({ settings, place, repository: opening }: Opening): Promise<JobMount> {
    const mountpoint = `${this.#root}/${settings.fqrn}`;
    const descriptor = place.descriptor();
    const { fd, adopted, negotiated } = descriptor;
    const mounted = adopted ? Promise.resolve() : mountFuse(fd, 'cvmfs2', mountpoint);
    mounted.catch(() => {});
    const { debug } = this.#launch;
    const askSomething = () => lookAt(mountpoint);
    const options = { ...descriptor, readOnlyMount: true, debug, askSomething, onBlocked: watchForStrandedServer };
    const repository = await opening;
    const session = repositorySession(repository, settings, options);
    const ended = session.start().catch((error: Error) => settings.report(error.message));
    await mounted;
    if (adopted && !negotiated) await initialized(session, settings.fqrn);
    settings.log?.note(`CernVM-FS: linking ${mountpoint} to repository ${settings.fqrn}`);
    repository.followRevisions(session.notify);
    return { ended, repository, settings, mountpoint, place, unmounting: false };
  }
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

/** The server before was killed while the kernel waited for its first answer. Only newer kernels ask again. */
async function initialized({ ready }: Session, fqrn: string): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => {
      const reason = 'its server was killed while it was being mounted';
      reject(new LauncherError('NOT_KEPT', `cannot take over ${fqrn}: ${reason}`));
    }, INIT_LIMIT_MS);
  });
  await Promise.race([ready, late]);
}

/** By another process: this one must not wait for its own answer. */
function lookAt(directory: string): void {
  spawn('stat', ['-f', directory], { stdio: 'ignore' }).on('error', () => {});
}

/** A place to mount upon that is not used any more; it does not matter if it stays. */
function removeDirectory(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // mounted again meanwhile
  }
}

/** Rejects when one of them does; never resolves. */
function failure(openings: readonly Opening[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const { repository } of openings) repository.catch(reject);
  });
}
