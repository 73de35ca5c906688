// The directory `dist`, which makedist of cvmfsexec makes and from which it then makes the single file. Here it holds the
// configuration alone, for people to change in between.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configurationOf, type Kind } from './configurations.ts';
import { SingleFileError } from './error.ts';

const MARK = '.cvmfsexecdist';

export interface SiteDirectory {
  readonly configuration: string;
  readonly singularity: boolean;
}

/** @throws SingleFileError WRITE */
export function makeSiteDirectory(directory: string, kind: Kind, machine: string, singularity: boolean): void {
  if (existsSync(directory)) throw new SingleFileError('WRITE', `${directory} already exists: remove it first`);
  const mark = `disttype: ${singularity ? 'sing' : 'standard'}\nmachtype: ${machine}\n`;
  const files = [...configurationOf(kind)].map(([path, text]) => [`etc/cvmfs/${path}`, text]);
  for (const [path, text] of [...files, [MARK, mark]]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** undefined: it is none of these. */
export function readSiteDirectory(directory: string): SiteDirectory | undefined {
  try {
    const mark = readFileSync(join(directory, MARK), 'utf8');
    return { configuration: join(directory, 'etc/cvmfs'), singularity: /^disttype: sing$/m.test(mark) };
  } catch {
    return undefined;
  }
}
