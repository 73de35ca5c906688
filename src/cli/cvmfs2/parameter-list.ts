// `cvmfs2 -o parse`: the parameters of a repository as the reference prints them, for scripts that read them (client.md §9.1).
import type { Source } from '../../config/parameters.ts';
import type { LaunchWords } from '../launch-words.ts';
import { repositoryParameters } from '../settings/repository.ts';

const PLAIN = /^[A-Za-z0-9/:._,-]*$/;

export async function parameterList(repository: string, launch: LaunchWords): Promise<string> {
  const parameters = await repositoryParameters(repository, launch, () => {});
  const lines = ['# CernVM-FS parameters:'];
  for (const name of parameters.names()) {
    lines.push(`${name}=${quoted(parameters.get(name) ?? '')}    # from ${sourceText(parameters.source(name))}`);
  }
  return `${lines.join('\n')}\n`;
}

function quoted(value: string): string {
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
}

function sourceText(source: Source | undefined): string {
  if (typeof source === 'object') return source.file;
  return source === undefined || source === 'built-in' ? '@INTERNAL@' : source;
}
