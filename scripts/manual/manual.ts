// Writes the man pages and the completions of all programs below a directory: man/NAME.1, completion/{bash,zsh,fish}.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KNOWN_NAMES } from '../../src/config/known-names.ts';
import { bashCompletion } from './bash-completion.ts';
import { completedOf } from './completed.ts';
import { fishCompletion } from './fish-completion.ts';
import { manPage } from './man-page.ts';
import { allPrograms } from './programs.ts';
import { zshCompletion } from './zsh-completion.ts';

export interface Manual {
  /** dist/start.cjs of what is described. */
  readonly start: string;
  /** Of the package. */
  readonly root: string;
  readonly version: string;
  /** Where to write. */
  readonly directory: string;
}

export async function writeManual({ start, root, version, directory }: Manual): Promise<void> {
  const programs = await allPrograms(start, root);
  mkdirSync(join(directory, 'man'));
  mkdirSync(join(directory, 'completion'));
  for (const { path, summary, help } of programs) {
    const name = path.join('-');
    const file = join(root, `man/${name}.roff`);
    const handWritten = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // The programs, and what belongs to the same one.
    const related = programs.filter((other) => other.path.length === 1 || other.path[0] === path[0]);
    const seeAlso = related.map((other) => other.path.join('-')).filter((other) => other !== name);
    writeFileSync(join(directory, `man/${name}.1`), manPage({ name, summary, help, handWritten, seeAlso, version }));
  }
  const completed = completedOf(programs);
  const parameters = [...KNOWN_NAMES].map((known) => known.replace(/^(CVMFS_)?/, 'CVMFS_'));
  const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
  for (const [shell, made] of Object.entries(shells)) {
    writeFileSync(join(directory, 'completion', shell), made(completed, parameters));
  }
}
