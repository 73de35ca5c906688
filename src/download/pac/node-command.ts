// Starting another Node.
import { basename, dirname, isAbsolute, join } from 'node:path';

/**
 * The words that go before Node's own. Not by execPath: the kernel tells it by where the file is at that moment, and a launch
 * may be just moving the root. Under a loader of the package's (cx_exec_node) execPath names that, which needs to be told the
 * libraries beside it and the program.
 */
export function nodeCommand({ execPath, argv0 }: Pick<NodeJS.Process, 'execPath' | 'argv0'> = process): string[] {
  if (!isAbsolute(argv0)) return [execPath];
  const loader = basename(execPath);
  if (!/^ld-linux-.*\.so\.\d+$/.test(loader)) return [argv0];
  const libraries = join(dirname(argv0), '../lib');
  return [join(libraries, loader), '--library-path', libraries, argv0];
}
