// What ends a mount, beside its being unmounted.

const ENDING_OWN: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
/** What a terminal or a batch system sends to all processes of a job, and what would stop this one. */
const OF_THE_JOB: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
];

/**
 * Resolves with the signal that asks for the end. A process that serves somebody else's mount stands in the job of who uses
 * it: what is sent to the whole job is not meant for it, and it ends with the mount.
 */
export function askedToEnd(isOwnMount: boolean): Promise<NodeJS.Signals> {
  if (!isOwnMount) for (const signal of OF_THE_JOB) process.on(signal, () => {});
  return new Promise((resolve) => {
    for (const signal of isOwnMount ? ENDING_OWN : (['SIGTERM'] as const)) process.on(signal, resolve);
  });
}

/** Ends this process by a signal as if it had never been handled: at once, whatever its threads are doing. */
export function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
