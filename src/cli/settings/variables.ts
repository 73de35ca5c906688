// The values of `$(NAME)` in symlinks.
import type { Parameters } from '../../config/parameters.ts';

/** The environment, all parameters, and two names of the client's own (client.md §3.10). */
export function variables(parameters: Parameters): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = { ...process.env };
  for (const name of parameters.names()) values[name] = parameters.get(name);
  values.CVMFS_FQRN ??= parameters.fqrn;
  values.CVMFS_ARCH = MACHINES[process.arch] ?? process.arch;
  return values;
}

/** What `uname -m` says, by Node's name. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
