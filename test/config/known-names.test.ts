import test from 'ava';
import { KNOWN_NAMES, nearestName } from '../../src/config/known-names.ts';
import { checkStrictMount } from '../../src/config/strict-mount.ts';
import { misspeltNames, unknownNames } from '../../src/config/unknown-names.ts';
import { load, makeDirectory } from './configuration.ts';

for (const [name, meant] of Object.entries({
  CVMFS_HTP_PROXY: 'CVMFS_HTTP_PROXY',
  CVMFS_HTTP_PROXYS: 'CVMFS_HTTP_PROXY',
  CVMFS_QUOTA_LIMTI: 'CVMFS_QUOTA_LIMIT',
  CVMFS_SERVER_URI: 'CVMFS_SERVER_URL',
  CVMFS_server_url: 'CVMFS_SERVER_URL',
  CVMFS_TIMOUT: 'CVMFS_TIMEOUT',
  CVMFS_TEST_ARCH: undefined,
  CVMFS_TEST_VERSION: undefined,
  CVMFS_USED: 'CVMFS_USER',
  CVMFS_DUST: undefined,
  CVMFS_A: undefined,
})) {
  test(`${name} is ${meant ? `near to ${meant}` : 'near to nothing'}`, (t) => t.is(nearestName(name), meant));
}

test('every known name is nearest to itself, and stands once and in its place', (t) => {
  for (const name of KNOWN_NAMES) t.is(nearestName(name), name);
  t.is(new Set(KNOWN_NAMES).size, KNOWN_NAMES.length);
});

test('a misspelt name is told with its place, a made-up one is not, a known one in no list', (t) => {
  const systemDirectory = makeDirectory(t);
  const text = 'CVMFS_HTP_PROXY=x\nCVMFS_MY_VERSION=1\nCVMFS_CACHE_hpc_TYPE=ram\nOTHER=1\nCVMFS_AUTHZ_X=1\n';
  const parameters = load(t, { systemDirectory, files: { 'default.local': text }, environment: { CVMFS_TIMEOT: '1' } });
  t.deepEqual(misspeltNames(parameters), [
    `there is no parameter CVMFS_HTP_PROXY (${systemDirectory}/default.local:1): did you mean CVMFS_HTTP_PROXY?`,
    'there is no parameter CVMFS_TIMEOT (environment): did you mean CVMFS_TIMEOUT?',
  ]);
  t.deepEqual(
    unknownNames(parameters).map(({ name }) => name),
    ['CVMFS_HTP_PROXY', 'CVMFS_MY_VERSION', 'CVMFS_TIMEOT'],
  );
});

test('a strict machine is for its listed repositories and for its configuration only', (t) => {
  const text =
    'CVMFS_STRICT_MOUNT=yes\nCVMFS_REPOSITORIES="atlas,cms.cern.ch lhcb"\nCVMFS_CONFIG_REPOSITORY=c.cern.ch\n';
  const check = (fqrn: string, options: string[] = []) =>
    checkStrictMount(load(t, { fqrn, options, files: { 'default.conf': text } }));
  for (const fqrn of ['atlas.cern.ch', 'cms.cern.ch', 'lhcb.cern.ch', 'c.cern.ch']) t.notThrows(() => check(fqrn));
  const refusal = { code: 'NOT_ALLOWED', message: /^alice\.cern\.ch is not in CVMFS_REPOSITORIES/ };
  t.throws(() => check('alice.cern.ch'), refusal);
  t.notThrows(() => check('alice.cern.ch', ['CVMFS_STRICT_MOUNT=no']));
});
