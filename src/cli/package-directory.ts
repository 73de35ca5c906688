import { dirname, join } from 'node:path';

/** The directory of the package; the bundle is started by its dist/start.cjs. */
export function packageDirectory(): string {
  return join(dirname(process.argv[1]), '..');
}

/** One of bin/. */
export function programPath(name: string): string {
  return join(packageDirectory(), 'bin', name);
}
