// The files that an installed client brings, in the forms that its packages use.
import test from 'ava';
import { DEFAULT_PARAMETERS, DOMAINS } from '../../src/config/defaults.ts';
import { load } from './configuration.ts';

const servers = (domain: string) => DOMAINS.get(domain)!.servers.join(';');
const cdn = (domain: string) => DOMAINS.get(domain)!.cdn.join(';');

const SHIPPED = {
  'default.conf': `# Settings of a site belong into default.local.
${Object.entries(DEFAULT_PARAMETERS)
  .filter(([name]) => !['CVMFS_USER', 'CVMFS_MOUNT_DIR', 'CVMFS_RELOAD_SOCKETS', 'CVMFS_DEFAULT_DOMAIN'].includes(name))
  .map(([name, value]) => `${name}=${value}`)
  .join('\n')}

if [ "x$CVMFS_BASE_ENV" = "x" ]; then
  readonly CVMFS_USER=cvmfs
  readonly CVMFS_MOUNT_DIR=/cvmfs
  readonly CVMFS_RELOAD_SOCKETS=/var/run/cvmfs
  readonly CVMFS_BASE_ENV=1
fi
`,
  'default.d/50-cern.conf':
    'CVMFS_CONFIG_REPO_DEFAULT_ENV=\nCVMFS_CONFIG_REPOSITORY=cvmfs-config.cern.ch\nCVMFS_DEFAULT_DOMAIN=cern.ch\n',
  'domain.d/cern.ch.conf': `
if [ "$CVMFS_CONFIG_REPO_DEFAULT_ENV" != "" ]; then
  # The configuration repository knows better.
  return
fi

if [ "x$CVMFS_USE_CDN" = "xyes" ]; then
  CVMFS_SERVER_URL="${cdn('cern.ch')}"
else
  CVMFS_SERVER_URL="${servers('cern.ch')}"
fi
CVMFS_KEYS_DIR=/etc/cvmfs/keys/cern.ch
CVMFS_USE_GEOAPI=yes
`,
  'config.d/cvmfs-config.cern.ch.conf': `CVMFS_HTTP_PROXY="\${CVMFS_HTTP_PROXY:-DIRECT}"\n`,
  'config.d/grid.cern.ch.conf': `export GLITE_VERSION=\${GLITE_VERSION:=default}\n`,
};

test('are read without a warning, and say what is built in', (t) => {
  for (const fqrn of ['atlas.cern.ch', 'cvmfs-config.cern.ch', 'grid.cern.ch']) {
    const [shipped, builtIn] = [load(t, { fqrn, files: SHIPPED }), load(t, { fqrn })];
    t.deepEqual(shipped.warnings, []);
    for (const name of builtIn.names()) t.is(shipped.get(name), builtIn.get(name), `${fqrn} ${name}`);
    t.is(shipped.get('CVMFS_BASE_ENV'), '1');
  }
});

test('CVMFS_USE_CDN chooses the other servers, from any source', (t) => {
  const expected = load(t, { options: ['CVMFS_USE_CDN=yes'] }).get('CVMFS_SERVER_URL');
  t.is(expected, cdn('cern.ch').replaceAll('@fqrn@', 'atlas.cern.ch'));
  for (const given of [
    { files: { ...SHIPPED, 'default.local': 'CVMFS_USE_CDN=yes\n' } },
    { files: SHIPPED, environment: { CVMFS_USE_CDN: 'yes' } },
    { files: SHIPPED, options: ['CVMFS_USE_CDN=yes'] },
  ]) {
    t.is(load(t, given).get('CVMFS_SERVER_URL'), expected);
  }
  const { get } = { get: (name: string) => load(t, { files: SHIPPED, options: ['CVMFS_USE_CDN=YES'] }).get(name) };
  t.not(get('CVMFS_SERVER_URL'), expected, 'nothing but yes does');
});

test('of a domain are not used when a configuration repository has been read', (t) => {
  const files = {
    ...SHIPPED,
    'default.local': 'CVMFS_CONFIG_REPO_DEFAULT_ENV=1\nCVMFS_SERVER_URL=http://repository/@fqrn@\n',
  };
  t.is(load(t, { files }).get('CVMFS_SERVER_URL'), 'http://repository/atlas.cern.ch');
});

test('default.conf as shipped chooses nothing, but what a site changes in it counts', (t) => {
  const shipped = load(t, { files: { 'default.conf': SHIPPED['default.conf'] } });
  t.false(shipped.isChosen('CVMFS_CACHE_BASE'));
  t.is(shipped.get('CVMFS_USE_GEOAPI'), 'yes', 'the domain has it');
  const changed = load(t, { files: { 'default.conf': 'CVMFS_CACHE_BASE=/else\nCVMFS_CACHE_BASE=/var/lib/cvmfs\n' } });
  t.is(changed.get('CVMFS_CACHE_BASE'), '/var/lib/cvmfs');
  t.true(changed.isChosen('CVMFS_CACHE_BASE'));
  const local = load(t, { files: { 'default.local': 'CVMFS_CACHE_BASE=/var/lib/cvmfs\n' } });
  t.true(local.isChosen('CVMFS_CACHE_BASE'));
});

test('values of a repository give way to the site and the environment', (t) => {
  const grid = { fqrn: 'grid.cern.ch', files: SHIPPED };
  t.is(load(t, grid).get('GLITE_VERSION'), 'default');
  t.is(load(t, { ...grid, environment: { GLITE_VERSION: '3' } }).get('GLITE_VERSION'), '3');
  const site = { ...SHIPPED, 'default.local': 'CVMFS_HTTP_PROXY="http://site:3128"\n' };
  t.is(load(t, { fqrn: 'cvmfs-config.cern.ch', files: site }).get('CVMFS_HTTP_PROXY'), 'http://site:3128');
});
