// The values that hold where no file says otherwise: the reference's default.conf, and the servers of three domains.

/** default.conf, and the default domain of its 50-cern.conf. */
export const DEFAULT_PARAMETERS: Readonly<Record<string, string>> = {
  CVMFS_CLIENT_PROFILE: '',
  CVMFS_CACHE_BASE: '/var/lib/cvmfs',
  CVMFS_QUOTA_LIMIT: '4000',
  CVMFS_TIMEOUT: '5',
  CVMFS_TIMEOUT_DIRECT: '10',
  CVMFS_STRICT_MOUNT: 'no',
  CVMFS_NFILES: '131072',
  CVMFS_SHARED_CACHE: 'yes',
  CVMFS_CHECK_PERMISSIONS: 'yes',
  CVMFS_CLAIM_OWNERSHIP: 'yes',
  CVMFS_KEYS_DIR: '/etc/cvmfs/keys',
  CVMFS_PROXY_RESET_AFTER: '300',
  CVMFS_HOST_RESET_AFTER: '1800',
  CVMFS_MAX_RETRIES: '1',
  CVMFS_BACKOFF_INIT: '2',
  CVMFS_BACKOFF_MAX: '10',
  CVMFS_SEND_INFO_HEADER: 'no',
  CVMFS_USE_GEOAPI: 'no',
  CVMFS_LOW_SPEED_LIMIT: '1024',
  CVMFS_USER: 'cvmfs',
  CVMFS_MOUNT_DIR: '/cvmfs',
  CVMFS_RELOAD_SOCKETS: '/var/run/cvmfs',
  CVMFS_DEFAULT_DOMAIN: 'cern.ch',
};

/** CVMFS_HTTP_PROXY where nobody sets it: what the site announces, else none. */
export const DEFAULT_PROXY = 'auto;DIRECT';

interface DomainServers {
  readonly servers: readonly string[];
  /** Used when CVMFS_USE_CDN is 'yes'. */
  readonly cdn: readonly string[];
}

/** domain.d/<domain>.conf */
export const DOMAINS: ReadonlyMap<string, DomainServers> = new Map(
  Object.entries({
    'cern.ch': {
      servers: [
        'http://cvmfs-stratum-one.cern.ch/cvmfs/@fqrn@',
        'http://cernvmfs.gridpp.rl.ac.uk/cvmfs/@fqrn@',
        'http://cvmfs-s1bnl.opensciencegrid.org/cvmfs/@fqrn@',
        'http://cvmfs-s1fnal.opensciencegrid.org/cvmfs/@fqrn@',
      ],
      cdn: [
        'http://s1cern-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1ral-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1bnl-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1fnal-cvmfs.openhtc.io/cvmfs/@fqrn@',
      ],
    },
    'egi.eu': {
      servers: [
        'http://cvmfs-egi.gridpp.rl.ac.uk:8000/cvmfs/@fqrn@',
        'http://klei.nikhef.nl:8000/cvmfs/@fqrn@',
        'http://cvmfsrepo.lcg.triumf.ca:8000/cvmfs/@fqrn@',
        'http://cvmfs-stratum-one.ihep.ac.cn:8000/cvmfs/@fqrn@',
      ],
      cdn: [
        'http://s1ral-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1nikhef-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1triumf-cvmfs.openhtc.io:8080/cvmfs/@fqrn@',
        'http://s1ihep-cvmfs.openhtc.io/cvmfs/@fqrn@',
      ],
    },
    'opensciencegrid.org': {
      servers: [
        'http://cvmfs-egi.gridpp.rl.ac.uk:8000/cvmfs/@fqrn@',
        'http://klei.nikhef.nl:8000/cvmfs/@fqrn@',
        'http://cvmfs-s1bnl.opensciencegrid.org:8000/cvmfs/@fqrn@',
        'http://cvmfs-s1fnal.opensciencegrid.org:8000/cvmfs/@fqrn@',
        'http://cvmfs-stratum-one.ihep.ac.cn:8000/cvmfs/@fqrn@',
      ],
      cdn: [
        'http://s1ral-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1nikhef-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1bnl-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1fnal-cvmfs.openhtc.io/cvmfs/@fqrn@',
        'http://s1ihep-cvmfs.openhtc.io/cvmfs/@fqrn@',
      ],
    },
  }),
);

/** config.d/<repository>.conf: values that hold where neither files nor environment set others. */
export const REPOSITORIES: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map(
  Object.entries<Record<string, string>>({
    // A configuration repository has to be there before a site's proxies are known from it.
    'cvmfs-config.cern.ch': { CVMFS_HTTP_PROXY: 'DIRECT' },
    // For its symlinks.
    'grid.cern.ch': { GLITE_VERSION: 'default' },
  }),
);
