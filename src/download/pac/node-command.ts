// Starting another Node.
import { basename, dirname, join } from 'node:path';

/**
 * The words that go before Node's own. Under a loader of the package's (cx_exec_node), that is what execPath names: it needs
 * to be told the libraries beside it and the program.
 */
export function nodeCommand(execPath = process.execPath): string[] {
  if (!/^ld-linux-.*\.so\.\d+$/.test(basename(execPath))) return [execPath];
  const libraries = dirname(execPath);
  return [execPath, '--library-path', libraries, join(libraries, '../bin/node')];
}
