// The repositories that the server of a job serves: those that the launch names, and those that are mounted while it runs.
import { rmdirSync } from 'node:fs';
import type { AccessRecorder } from '../../filesystem/access-recorder.ts';
import type { MountPoints } from '../../filesystem/mount-points.ts';
import type { MountedRepository, RepositorySettings } from '../../filesystem/mounted-repository.ts';
import { LauncherError } from '../../launcher/error.ts';
import { mountFuse, unmount } from '../../launcher/fuse-mount.ts';
import { watchForStrandedServer } from '../../launcher/stranded-server.ts';
import type { LaunchWords } from '../launch-words.ts';
import { reporter } from '../reporter.ts';
import { openRepository, repositorySession } from '../repository-mount.ts';
import { repositorySettings } from '../settings/repository.ts';
import { TalkSockets } from '../talk-sockets.ts';
import { type Handover, type MountPlace, ROOT } from './handover.ts';
import { initialized, lookAt } from './mount-answers.ts';
import type { JobMount, Mounting, Opening } from './mounting.ts';
import { again, once } from './patience.ts';
import { recorders } from './recorders.ts';
import type { TellStatus } from './status-events.ts';

export class JobMounts {
  /** Resolves when nothing is mounted any more that was not unmounted on request. */
  readonly ended: Promise<void>;
  readonly #launch: LaunchWords;
  readonly #handover: Handover;
  readonly #tellStatus: TellStatus;
  /** By name. */
  readonly #mounts = new Map<string, Mounting>();
  readonly #openings: Promise<MountedRepository>[] = [];
  readonly #sockets = new TalkSockets();
  /** Names as on the command line, and what they were completed to. */
  completedNames: readonly (readonly [string, string])[] = [];
  #recorderOf: ((fqrn: string) => AccessRecorder) | undefined;
  #resolveEnded!: () => void;
  #root!: string;
  /** With `--auto`. */
  #points: MountPoints | undefined;

  /** @param tellStatus told of what is mounted and unmounted */
  constructor(launch: LaunchWords, handover: Handover, tellStatus: TellStatus = () => {}) {
    this.#launch = launch;
    this.#tellStatus = tellStatus;
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
    const takenOver = handover.restarted ? handover.takenOver() : new Map<string, MountPlace>();
    for (const [fqrn, place] of takenOver) {
      if (fqrn !== ROOT) openings.push(this.#open(await this.#settings(fqrn), place));
    }
    this.#root = await Promise.race([handover.rootDirectory(), failure(openings)]);
    if (!handover.restarted) this.#tellStatus({ event: 'namespaces' });
    const serveAll = () =>
      Promise.all(
        openings.map((opening) => {
          const { settings, repository } = opening;
          return this.#keep(settings.fqrn, { opened: repository, mounted: this.#serve(opening) }).mounted;
        }),
      );
    const { auto } = this.#launch;
    if (!auto) {
      await serveAll();
      this.#finish();
      return;
    }
    const { AutoMounts } = await import('./auto-mounts.ts');
    const names = new AutoMounts(auto, handover.notes('auto'), (name) => this.#begin(name));
    this.#points = names.points;
    await names.serve(takenOver.get(ROOT) ?? handover.later(ROOT), this.#root, serveAll);
    this.#finish();
  }

  /** Goes on with what the server before had begun to mount: its mount(8) may come to its end, and then must be answered. */
  #finish(): void {
    for (const fqrn of this.#handover.unfinished) if (fqrn !== ROOT) this.#begin(fqrn);
  }

  /**
   * Mounts one more; resolves when it is there.
   * @throws LauncherError, ConfigError, and what says why it cannot be opened
   */
  async mount(name: string): Promise<void> {
    const settings = await repositorySettings(name, this.#launch, reporter(name));
    await this.#begin(settings.fqrn, Promise.resolve(settings)).mounted;
  }

  /**
   * @param lazy also when it is in use: its users keep it, nobody else can enter
   * @param repeated it was asked for before, and may have been done
   */
  async unmount(name: string, lazy: boolean, repeated: boolean): Promise<void> {
    const { fqrn } = await repositorySettings(name, this.#launch, () => {});
    const mounting = this.#mounts.get(fqrn);
    const mount = await mounting?.mounted.catch(() => undefined);
    if (!mount) {
      if (repeated && this.#handover.wasUnmounted(fqrn)) return;
      throw new LauncherError('NOT_MOUNTED', `cannot unmount ${fqrn}: it is not mounted in this job`);
    }
    // The topmost mount there is not ours, and it needs the one below.
    if (this.#hasOverlay(fqrn)) throw new LauncherError('UNMOUNT_FAILED', `cannot unmount ${fqrn}: --overlay uses it`);
    mount.unmounting = true;
    try {
      mount.place.beginEnd();
      await unmount(mount.mountpoint, lazy);
    } catch (error) {
      // A server before this one had done it.
      if (this.#mounts.get(fqrn) !== mounting) return;
      mount.unmounting = false;
      throw error;
    }
    this.#mounts.delete(fqrn);
    mount.place.end();
    if (this.#points) this.#points.setCovered(fqrn, false);
    else removeDirectory(mount.mountpoint);
    // One that is still in use is served until it is not.
    if (!lazy) await mount.ended;
  }

  /** Ends the talk sockets, and stores what is only in memory. */
  async close(): Promise<void> {
    this.#sockets.close();
    await Promise.allSettled(this.#openings.map(async (repository) => (await repository).close()));
  }

  #hasOverlay(fqrn: string): boolean {
    const names = new Map(this.completedNames);
    return this.#launch.overlays?.some(({ repository }) => names.get(repository) === fqrn) ?? false;
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
    return { settings: all, place, repository };
  }

  /** @param fqrn with its domain */
  #begin(fqrn: string, settings = repositorySettings(fqrn, this.#launch, reporter(fqrn))): Mounting {
    const present = this.#mounts.get(fqrn);
    if (present) return present;
    const opening = settings.then((one) => this.#open(one, this.#handover.later(one.fqrn), once));
    const opened = opening.then(({ repository }) => repository);
    return this.#keep(fqrn, { opened, mounted: this.#mountLater(opening) });
  }

  async #mountLater(asked: Promise<Opening>): Promise<JobMount> {
    const opening = await asked;
    try {
      // A repository that is none leaves no mount behind, and no directory.
      await opening.repository;
      return await this.#serve(opening);
    } catch (error) {
      this.#forget(opening);
      opening.place.end();
      throw error;
    }
  }

  #keep(fqrn: string, mounting: Mounting): Mounting {
    this.#mounts.set(fqrn, mounting);
    mounting.opened.catch(() => {});
    mounting.mounted.then(
      (mount) => this.#follow(mount, mounting),
      () => this.#mounts.delete(fqrn),
    );
    return mounting;
  }

  #follow(mount: JobMount, mounting: Mounting): void {
    this.#sockets.add(mount);
    mount.ended.then(() => {
      this.#sockets.remove(mount);
      mount.place.end();
      const { fqrn } = mount.settings;
      this.#tellStatus({ event: 'unmounted', repository: fqrn });
      if (this.#mounts.get(fqrn) === mounting) {
        this.#mounts.delete(fqrn);
        this.#points?.setCovered(fqrn, false);
      }
      if (this.#mounts.size === 0 && !mount.unmounting && !this.#points) this.#resolveEnded();
      if (!mount.unmounting) return;
      if (!this.#points) removeDirectory(mount.mountpoint);
      mount.repository.close().catch(() => {});
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
    const { fd, adopted, left, negotiated } = descriptor;
    const there = adopted && left === undefined;
    const { fqrn } = settings;
    const points = this.#points;
    points?.expect(fqrn);
    const started = (pid: number): void => points?.mounting(fqrn, pid);
    const mounted = there
      ? Promise.resolve()
      : mountFuse(fd, 'cvmfs2', mountpoint, { makeDirectory: !points, started, left });
    mounted.catch(() => {});
    const { debug } = this.#launch;
    const askSomething = () => lookAt(mountpoint);
    const options = { ...descriptor, readOnlyMount: true, debug, askSomething, onBlocked: watchForStrandedServer };
    const repository = await opening;
    const session = repositorySession(repository, settings, options);
    const ended = session.start().catch((error: Error) => settings.report(error.message));
    await mounted;
    points?.setCovered(fqrn, true);
    if (adopted && !negotiated) await initialized(session, fqrn);
    if (!there) this.#tellMounted(fqrn, repository, mountpoint);
    settings.log?.note(`CernVM-FS: linking ${mountpoint} to repository ${fqrn}`);
    repository.followRevisions(session.notify);
    return { ended, repository, settings, mountpoint, place, unmounting: place.wasEnding };
  }

  #tellMounted(repository: string, { root, layers }: MountedRepository, mountpoint: string): void {
    const { revision } = layers.tree.root.catalog;
    this.#tellStatus({ event: 'mounted', repository, revision, root_hash: root.rootHash.toString(), mountpoint });
  }
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
