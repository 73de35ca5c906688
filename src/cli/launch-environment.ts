// What init (src/launcher/serve.sh) tells the server in its environment, beside its words.
import { closeSync } from 'node:fs';

/** The caller's directory: relative paths on the command line start there. */
export function callerDirectory(): string {
  const directory = process.env.CVMFSEXEC_DIRECTORY;
  delete process.env.CVMFSEXEC_DIRECTORY;
  return directory ?? process.cwd();
}

/** Descriptors of the caller that sh could not close: whoever waits for their end must not wait for the server. */
export function closeForeignDescriptors(): void {
  for (const number of (process.env.CVMFSEXEC_CLOSE ?? '').split(' ').filter(Boolean)) {
    try {
      closeSync(Number(number));
    } catch {
      // not open any more
    }
  }
  delete process.env.CVMFSEXEC_CLOSE;
}
