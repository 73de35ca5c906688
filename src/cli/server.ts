// The server of a launch: serves all its repositories from inside the namespaces. Its parent (src/launcher/serve.sh)
// writes `root DIRECTORY` to stdin when there is a directory to mount below; `ready` on stdout tells that everything is
// mounted, and where more can be asked for. Nothing else is ever written to stdout. It ends when init says that the command
// has ended, or when the last mount does. If it is killed, its parent starts another one, which takes over the mounts.
import { writeSync } from 'node:fs';
import { commandEnded, surviveJobSignals } from '../launcher/job-signals.ts';
import { callerDirectory, closeForeignDescriptors, inheritance, statusPlace } from './launch-environment.ts';
import { type LaunchWords, parseLaunchWords, resolvePaths } from './launch-words.ts';
import { Handover } from './server/handover.ts';
import { JobMounts } from './server/job-mounts.ts';
import { sleep } from './server/patience.ts';

/** For storing what is only in memory at the end of a job; init waits a little longer. */
const CLOSING_MS = 1500;

export async function main(words: string[]): Promise<number> {
  surviveJobSignals();
  const ended = commandEnded().then(() => false);
  closeForeignDescriptors();
  const launch = resolvePaths(parseLaunchWords(words), callerDirectory());
  const handover = new Handover(inheritance(), launch.repositories.length);
  const place = statusPlace();
  const tellStatus = place && (await import('./server/status-events.ts')).statusWriter(place);
  const mounts = new JobMounts(launch, handover, tellStatus);
  const ready = mounts.start().then(() => {
    if (!handover.restarted) tellStatus?.({ event: 'started', pid: place?.commandPid });
    return tellReady(handover, launch, mounts);
  });
  ready.catch((error: Error) => tellStatus?.({ event: 'error', reason: error.message }));
  const started = await Promise.race([ended, ready]);
  if (started) {
    if (launch.inside) answerRequests(handover, mounts);
    await Promise.race([ended, mounts.ended]);
    await Promise.race([mounts.close(), sleep(CLOSING_MS)]);
  }
  // Everything is put away, and the job waits for this end: Node's own would take some milliseconds more. By this signal
  // the parent knows that nothing is to be taken over.
  process.kill(process.pid, 'SIGALRM');
  return 0;
}

/** False when nobody is interested any more. */
function tellReady(handover: Handover, { inside, overlays }: LaunchWords, mounts: JobMounts): boolean {
  // For the shell that makes views of them: what the names on the command line were completed to.
  const names = overlays?.length ? mounts.completedNames.map(([name, fqrn]) => `${name}=${fqrn}\n`).join('') : '';

  handover.serving();
  try {
    writeSync(1, `${names}${inside ? `ready ${handover.pipeAddress}` : 'ready'}\n`);
    return true;
  } catch {
    // A signal ended the starter; or it had this from the server before, and has become the command.
    return handover.restarted;
  }
}

/** Most jobs never ask. */
async function answerRequests({ lines, pipe }: Handover, mounts: JobMounts): Promise<void> {
  await lines.waiting();
  const { serveRequests } = await import('../launcher/mount-requests.ts');
  await serveRequests(lines, pipe, ({ action, name, repeated }) =>
    action === 'mount' ? mounts.mount(name) : mounts.unmount(name, action === 'detach', repeated),
  );
}
