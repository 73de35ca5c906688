// The talk sockets of a server's mounts. Nobody needs them at once, and most jobs never: they appear a moment after the
// command has started, and the code for them is loaded then.
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import type { Talk } from '../talk/start-talk.ts';

export interface ServedMount {
  /** Resolves when the mount has ended. */
  readonly ended: Promise<void>;
  readonly repository: MountedRepository;
  readonly settings: RepositorySettings;
  readonly mountpoint: string;
}

const AFTER_MS = 100;

export class TalkSockets {
  readonly #timers = new Map<ServedMount, NodeJS.Timeout>();
  readonly #talks = new Map<ServedMount, Talk>();
  #closed = false;

  add(mount: ServedMount): void {
    const timer = setTimeout(() => void this.#open(mount), AFTER_MS);
    timer.unref();
    this.#timers.set(mount, timer);
  }

  /** Takes its socket away, at once. */
  remove(mount: ServedMount): void {
    clearTimeout(this.#timers.get(mount));
    this.#timers.delete(mount);
    this.#talks.get(mount)?.close();
    this.#talks.delete(mount);
  }

  /** Takes all away, at once. */
  close(): void {
    this.#closed = true;
    for (const mount of [...this.#timers.keys()]) this.remove(mount);
  }

  async #open(mount: ServedMount): Promise<void> {
    const { startTalk } = await import('../talk/start-talk.ts');
    if (this.#closed || !this.#timers.has(mount)) return;
    const talk = await startTalk(mount.repository, mount.settings, mount.mountpoint);
    if (this.#closed || !this.#timers.has(mount)) talk.close();
    else this.#talks.set(mount, talk);
  }
}
