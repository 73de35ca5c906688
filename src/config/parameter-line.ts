// Parameters as `cvmfs2 -o parse` prints them (client.md §9.1): NAME=value    # from file
import type { Parameters, Source } from './parameters.ts';

export function parameterLine(name: string, value: string, source: Source | undefined): string {
  return `${name}=${quoted(value)}    # from ${origin(source)}`;
}

/** Of all that are set, in ascending order. */
export function parameterLines(parameters: Parameters): string[] {
  return parameters.names().map((name) => parameterLine(name, parameters.get(name) ?? '', parameters.source(name)));
}

function quoted(value: string): string {
  return /^[A-Za-z0-9/:._,-]*$/.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
}

function origin(source: Source | undefined): string {
  if (typeof source === 'object') return source.file;
  return source === undefined || source === 'built-in' ? '@INTERNAL@' : source;
}
