// Where the jobs that use a repository can be talked to.
import { SocketPlace } from '../talk/socket-place.ts';
import type { LaunchWords } from './launch-words.ts';
import { repositorySettings } from './settings/repository.ts';

/** @throws ConfigError where no job could be started with these words either */
export async function talkPlace(
  name: string,
  launch: LaunchWords,
): Promise<{ readonly fqrn: string; readonly place: SocketPlace }> {
  // What is odd about the configuration is told by launches, and by `doctor`.
  const { fqrn, talkSocket, cacheDirectory } = await repositorySettings(name, launch, () => {});
  return { fqrn, place: new SocketPlace(talkSocket ?? `${cacheDirectory}/cvmfs_io.${fqrn}`) };
}
