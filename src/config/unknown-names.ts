// Names of parameters that mean nothing: most are misspelt.
import { isKnownName, nearestName } from './known-names.ts';
import { type Parameters, sourceText } from './parameters.ts';

export interface UnknownName {
  readonly name: string;
  /** What was probably meant. */
  readonly nearest: string | undefined;
}

/** All CVMFS_ names that are set and not known, in ascending order. */
export function unknownNames(parameters: Parameters): UnknownName[] {
  return parameters
    .names()
    .filter((name) => name.startsWith('CVMFS_') && !isKnownName(name))
    .map((name) => ({ name, nearest: nearestName(name) }));
}

/** A line for each that is near to a known one; variables of a site's own are not complained about. */
export function misspeltNames(parameters: Parameters): string[] {
  return unknownNames(parameters).flatMap(({ name, nearest }) =>
    nearest ? [`there is no parameter ${name} (${sourceText(parameters.source(name))}): did you mean ${nearest}?`] : [],
  );
}
