// Servers that run, asked from outside of their namespaces: all that is shared with them is the workspace.
import type { MountStatus } from './mount-status.ts';
import { pidHere } from './outer-pid.ts';
import type { SocketPlace } from './socket-place.ts';
import { ask, askUnlessGone, liveServers } from './talk-client.ts';

/** The status of the server that scripts find. @throws TalkError */
export async function statusOfNewest(place: SocketPlace): Promise<MountStatus> {
  return parsed(await ask(place, 'status json'));
}

/** Of all servers of the place, the one started last first. @throws TalkError FAILED */
export async function statusOfAll(place: SocketPlace): Promise<MountStatus[]> {
  const names = await liveServers(place);
  const answers = await Promise.all(names.map((name) => askUnlessGone(place, name, 'status json')));
  return answers.filter((answer) => answer !== undefined).map(parsed);
}

function parsed(answer: string): MountStatus {
  const status = JSON.parse(answer) as MountStatus;
  return { ...status, pid: pidHere(status.pid, status.pidNamespace) ?? status.pid };
}
