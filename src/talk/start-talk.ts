// Opens the talk socket of a mount, and begins to send its counters, once it is mounted: imported then, as it is not on the way
// to the command of the user.
import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import { Telemetry } from '../log/telemetry.ts';
import { answerTo, restoreSettings } from './commands.ts';
import { counters } from './internal-affairs.ts';
import { talkTarget } from './mount-target.ts';
import { SocketPlace } from './socket-place.ts';
import { TalkServer } from './talk-server.ts';
import type { TalkTarget } from './talk-target.ts';

/** What those outside of the job have of a mount. */
export interface Talk {
  /** Synchronous. */
  close(): void;
}

export async function startTalk(
  repository: MountedRepository,
  settings: RepositorySettings,
  mountpoint: string,
): Promise<Talk> {
  const { telemetry: place } = settings;
  const target = talkTarget(repository, settings, mountpoint);
  const count = () => new Map(counters(target).map(([name, value]) => [name, value]));
  const telemetry = place && (await Telemetry.start(place, count));
  const server = await startServer(target, settings);
  return {
    close() {
      telemetry?.close();
      server?.close();
    },
  };
}

/** Undefined where there can be no socket: the mount does without. */
async function startServer(target: TalkTarget, settings: RepositorySettings): Promise<TalkServer | undefined> {
  const { talkSocket, log } = settings;
  if (talkSocket === undefined) return undefined;
  await restoreSettings(target).catch(({ message }) => log?.warn(`what was set with cvmfs_talk is lost: ${message}`));
  try {
    return await TalkServer.start(new SocketPlace(talkSocket), (command) => {
      log?.debug('talk', command);
      return answerTo(target, command);
    });
  } catch (error) {
    log?.note(`no talk socket at ${talkSocket}: ${(error as Error).message}`);
    return undefined;
  }
}
