// The configurations that makedist of cvmfsexec knows by name: which configuration repository a site's files begin with. The
// rest is in that repository, and what is needed to reach it is built in.

export const KINDS = ['default', 'osg', 'egi', 'none'] as const;
export type Kind = (typeof KINDS)[number];

const REPOSITORIES: Readonly<Record<Kind, string | undefined>> = {
  default: 'cvmfs-config.cern.ch',
  osg: 'config-osg.opensciencegrid.org',
  egi: 'config-egi.egi.eu',
  none: undefined,
};

const LOCAL_PAC = ['http://grid-wpad/wpad.dat', 'http://wpad/wpad.dat'];
const CERN_PAC = 'http://cernvm-wpad.cern.ch/wpad.dat';
const FERMILAB_PAC = 'http://cernvm-wpad.fnal.gov/wpad.dat';

/** Paths below etc/cvmfs, and their text. */
export function configurationOf(kind: Kind): ReadonlyMap<string, string> {
  const repository = REPOSITORIES[kind];
  const pac = [...LOCAL_PAC, ...(kind === 'osg' ? [FERMILAB_PAC, CERN_PAC] : [CERN_PAC, FERMILAB_PAC])];
  const local = `CVMFS_HTTP_PROXY="auto;DIRECT"\nCVMFS_PAC_URLS="${pac.join(';')}"\n`;
  const files = new Map([['default.local', local]]);
  if (repository) files.set(`default.d/50-${kind}.conf`, `CVMFS_CONFIG_REPOSITORY=${repository}\n`);
  return files;
}
