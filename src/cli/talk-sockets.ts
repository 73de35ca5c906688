// The talk sockets of a server's mounts. Nobody needs them at once, and most jobs never: they appear a moment after the
// command has started, and the code for them is loaded then.
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import type { TalkServer } from '../talk/talk-server.ts';

export interface ServedMount {
  /** Resolves when the mount has ended. */
  readonly ended: Promise<void>;
  readonly repository: MountedRepository;
  readonly settings: RepositorySettings;
  readonly mountpoint: string;
}

const AFTER_MS = 100;

export class TalkSockets {
  readonly #timer: NodeJS.Timeout;
  readonly #servers: TalkServer[] = [];
  #closed = false;

  constructor(mounts: readonly ServedMount[]) {
    this.#timer = setTimeout(() => void this.#open(mounts), AFTER_MS);
    this.#timer.unref();
  }

  /** Takes the sockets away, at once. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const server of this.#servers) server.close();
  }

  async #open(mounts: readonly ServedMount[]): Promise<void> {
    const { startTalk } = await import('../talk/start-talk.ts');
    for (const { repository, settings, mountpoint } of mounts) {
      if (this.#closed) return;
      const server = await startTalk(repository, settings, mountpoint);
      if (!server) continue;
      if (this.#closed) server.close();
      else this.#servers.push(server);
    }
  }
}
