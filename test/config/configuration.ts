// A directory like /etc/cvmfs, made for one test.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type ParameterOptions, Parameters } from '../../src/config/parameters.ts';

/** Removed when the test is over. */
export function makeDirectory(t: ExecutionContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'configuration-')));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

export type Given = Partial<ParameterOptions> & { readonly files?: Readonly<Record<string, string>> };

/** The parameters of atlas.cern.ch on a machine whose /etc/cvmfs has these files. */
export function load(t: ExecutionContext, { files = {}, ...given }: Given = {}): Parameters {
  const systemDirectory = given.systemDirectory ?? makeDirectory(t);
  writeFiles(given.configDirectory ?? systemDirectory, files);
  return Parameters.load({ fqrn: 'atlas.cern.ch', options: [], environment: {}, ...given, systemDirectory });
}
