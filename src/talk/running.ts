// Servers that run, asked from outside of their namespaces: all that is shared with them is the workspace.
import type { MountStatus } from './mount-status.ts';
import { pidHere } from './outer-pid.ts';
import type { SocketPlace } from './socket-place.ts';
import { ask, askUnlessGone, isListening, liveServers } from './talk-client.ts';

/** The status of the server that scripts find. @throws TalkError */
export async function statusOfNewest(place: SocketPlace): Promise<MountStatus> {
  return parsed(await ask(place, 'status json'));
}

/** Of all servers of the place, the one started last first. @throws TalkError FAILED */
export async function statusOfAll(place: SocketPlace): Promise<MountStatus[]> {
  const names = await liveServers(place);
  const answers = await Promise.all(names.map((name) => answerOf(place, name)));
  return answers.filter((answer) => answer !== undefined).map(parsed);
}

/** Undefined: the server has ended, maybe as it was asked. */
async function answerOf(place: SocketPlace, name: string): Promise<string | undefined> {
  try {
    return await askUnlessGone(place, name, 'status json');
  } catch (error) {
    if (await isListening(place, name)) throw error;
    return undefined;
  }
}

function parsed(answer: string): MountStatus {
  const status = JSON.parse(answer) as MountStatus;
  return { ...status, pid: pidHere(status.pid, status.pidNamespace) ?? status.pid };
}
