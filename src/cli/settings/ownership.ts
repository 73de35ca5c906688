// Who owns the files of a repository, and who may read them (client.md §3.12).

import { ConfigError } from '../../config/error.ts';
import { type IdMap, mapId, parseIdMap } from '../../config/id-map.ts';
import type { Parameters } from '../../config/parameters.ts';
import type { OwnershipRules } from '../../filesystem/attributes.ts';
import { innerIds } from '../../launcher/outer-user.ts';

/** @throws ConfigError NO_FILE, BAD_MAP */
export function ownership(parameters: Parameters): OwnershipRules {
  const worldReadable = parameters.isOn('CVMFS_WORLD_READABLE');
  if (parameters.isOn('CVMFS_CLAIM_OWNERSHIP')) return { claim: self(), worldReadable };
  return {
    userId: shownId(idMap(parameters, 'CVMFS_UID_MAP'), innerIds('uid')),
    groupId: shownId(idMap(parameters, 'CVMFS_GID_MAP'), innerIds('gid')),
    worldReadable,
  };
}

/** Maps speak of ids as the user knows them, the file system of those in its namespace. */
function shownId(map: IdMap | undefined, inner: ((id: number) => number) | undefined): OwnershipRules['userId'] {
  if (!map) return inner;
  return inner ? (id) => inner(mapId(map, id)) : (id) => mapId(map, id);
}

function self(): { uid: number; gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

/** undefined: ids stay. A map that was asked for and cannot be used ends the launch: files would belong to others. */
function idMap(parameters: Parameters, name: string): IdMap | undefined {
  const file = parameters.get(name);
  if (!file) return undefined;
  let failure: unknown;
  try {
    const text = parameters.files.read(file);
    if (text) return parseIdMap(text.toString('latin1'), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ConfigError || typeof code !== 'string') throw error;
    failure = error;
  }
  const code = (failure as NodeJS.ErrnoException | undefined)?.code ?? 'ENOENT';
  throw new ConfigError('NO_FILE', `cannot read ${name}=${file} (${code})`, failure);
}
