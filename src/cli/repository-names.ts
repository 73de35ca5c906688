// Names of repositories that somebody here may mean: for completions, so nothing is checked and nothing may fail.
import { readdirSync } from 'node:fs';
import { systemPlaces } from '../config/cache-candidates.ts';
import { cachePlace } from '../config/cache-place.ts';
import { isRepositoryName } from '../config/names.ts';
import { Parameters } from '../config/parameters.ts';
import { listedRepositories } from '../config/strict-mount.ts';
import { outerUserId } from '../launcher/outer-user.ts';
import { mounts } from './cvmfs2/mount-point.ts';

/** Large ones, whose servers and keys are built in. */
const WELL_KNOWN = [
  ...['alice.cern.ch', 'ams.cern.ch', 'atlas.cern.ch', 'atlas-condb.cern.ch', 'atlas-nightlies.cern.ch', 'cms.cern.ch'],
  ...[
    'cms-ib.cern.ch',
    'geant4.cern.ch',
    'grid.cern.ch',
    'lhcb.cern.ch',
    'lhcb-condb.cern.ch',
    'na62.cern.ch',
    'sft.cern.ch',
  ],
  ...['sft-nightlies.cern.ch', 'sw.hsf.org', 'unpacked.cern.ch', 'oasis.opensciencegrid.org', 'gwosc.osgstorage.org'],
  ...['singularity.opensciencegrid.org', 'config-osg.opensciencegrid.org', 'config-egi.egi.eu'],
];

/** In CVMFS_REPOSITORIES, with a configuration file, mounted, in the cache, or well known; sorted. */
export function repositoryNames(environment: Readonly<Record<string, string | undefined>>): string[] {
  const sources = [
    () => WELL_KNOWN,
    () => listedRepositories(parameters(environment)),
    () => readdirSync('/etc/cvmfs/config.d').map((file) => file.replace(/\.(conf|local)$/, '')),
    () =>
      mounts()
        .filter(({ place, source }) => source === 'cvmfs2' || place.startsWith('/cvmfs/'))
        .map(({ place }) => place.slice(place.lastIndexOf('/') + 1)),
    () => usedBefore(environment),
  ];
  const found = sources.flatMap((source) => {
    try {
      return source();
    } catch {
      return [];
    }
  });
  return [...new Set(found)].filter((name) => name.includes('.') && isRepositoryName(name)).sort();
}

function parameters(environment: Readonly<Record<string, string | undefined>>): Parameters {
  return Parameters.load({ fqrn: '', options: [], environment });
}

/** The cache keeps a note of each repository's root catalog. */
function usedBefore(environment: Readonly<Record<string, string | undefined>>): string[] {
  const { directory } = cachePlace(parameters(environment), outerUserId(), systemPlaces(environment));
  const prefix = 'cvmfschecksum.';
  return readdirSync(directory)
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.slice(prefix.length));
}
