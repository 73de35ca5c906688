// Signals that the server of a job survives: it is in the caller's process group, so that ^C, `timeout` and batch systems
// reach it as well as the command. What they mean is for the command to decide; init ends the server. Handlers, because
// Node puts ignored signals back to their default when it starts.

const SIGNALS: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
];

/** Has this process survive, and not be stopped by, what is sent to the whole job. SIGKILL and SIGSTOP remain. */
export function surviveJobSignals(): void {
  for (const signal of SIGNALS) process.on(signal, ignore);
}

/** Resolves when init tells that the command has ended. A signal that means nothing to processes that do not know of it. */
export function commandEnded(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGURG', () => resolve());
  });
}

function ignore(): void {}
