// Opens the talk socket of a mount, and begins to send its counters, once it is mounted: imported then, as it is not on the way to the user's command.

import type { MountedRepository, RepositorySettings } from '../filesystem/mounted-repository.ts';
import { Telemetry } from '../log/telemetry.ts';
import { answerTo, restoreSettings } from './commands.ts';
import { counters } from './internal-affairs.ts';
import { talkTarget } from './mount-target.ts';
import { SocketPlace } from './socket-place.ts';
import { TalkServer } from './talk-server.ts';

/** Undefined where there can be no socket: the mount does without. */
export async function startTalk(
  repository: MountedRepository,
  settings: RepositorySettings,
  mountpoint: string,
): Promise<TalkServer | undefined> {
  const { talkSocket, telemetry, log } = settings;
  const target = talkTarget(repository, settings, mountpoint);
  if (telemetry)
    await Telemetry.start(telemetry, () => new Map(counters(target).map(([name, value]) => [name, value])));
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
