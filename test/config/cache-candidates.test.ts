import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { cacheCandidates, systemPlaces } from '../../src/config/cache-candidates.ts';
import { cachePlace } from '../../src/config/cache-place.ts';
import { networkFileSystem } from '../../src/config/network-file-systems.ts';
import { load, makeDirectory } from './configuration.ts';

const USER = 7;
const [NFS, LUSTRE, GPFS, EXT4] = [0x6969, 0x0bd00bd0, 0x47504653, 0xef53];
/** File systems by directory; all others are ext4. No machine that runs tests has them all. */
const fileSystems = (types: Record<string, number>) => (path: string) =>
  Object.entries(types).find(([directory]) => path.startsWith(directory))?.[1] ?? EXT4;

test('places of the node come before the job’s scratch, and that before the home', (t) => {
  const environment = { HOME: '/home/me', SLURM_TMPDIR: '/slurm/1', _CONDOR_SCRATCH_DIR: '/condor/1', TMPDIR: 'odd' };
  const places = systemPlaces(environment);
  t.deepEqual(places.scratch, ['/slurm/1', '/condor/1']);
  t.deepEqual(places.homes, ['/home/me/.cache']);
  t.true(places.shared.includes('/var/tmp'));
});

test('each place is listed in order with the reason it was refused; the first fit one is taken', (t) => {
  const [scratch, home] = [makeDirectory(t), makeDirectory(t)];
  const places = { shared: ['/nonexistent/place'], scratch: [scratch], homes: [`${home}/.cache`] };
  t.deepEqual(
    [...cacheCandidates(USER, places)],
    [
      { directory: '/nonexistent/place', kind: 'shared', refused: '/nonexistent/place: ENOENT' },
      { directory: `${scratch}/cvmfs-7`, kind: 'scratch' },
      { directory: `${home}/.cache/cvmfs-7`, kind: 'home' },
    ],
  );
  t.is(cachePlace(load(t), USER, places).directory, `${scratch}/cvmfs-7/shared`);
});

test('a home is made use of only when nothing else is fit', (t) => {
  const [place, home] = [makeDirectory(t), makeDirectory(t)];
  const homes = [`${home}/.cache`];
  cachePlace(load(t), USER, { shared: [place], scratch: [], homes });
  t.false(existsSync(homes[0]));
  t.is(cachePlace(load(t), USER, { shared: [], scratch: [], homes }).directory, `${home}/.cache/cvmfs-7/shared`);
});

for (const [name, type] of [
  ['NFS', NFS],
  ['Lustre', LUSTRE],
  ['GPFS', GPFS],
] as const) {
  test(`a place on ${name} comes after local ones, and is used with a warning`, (t) => {
    const [remote, local] = [makeDirectory(t), makeDirectory(t)];
    const fileSystemType = fileSystems({ [remote]: type });
    const places = { shared: [remote], scratch: [local], homes: [], fileSystemType };
    t.deepEqual(cachePlace(load(t), USER, places), { directory: `${local}/cvmfs-7/shared` });
    const place = cachePlace(load(t), USER, { ...places, scratch: [] });
    t.is(place.directory, `${remote}/cvmfs-7/shared`);
    t.regex(place.warning ?? '', new RegExp(`is on ${name}, .*set CVMFS_CACHE_BASE to a local disk$`));
  });

  test(`a cache directory of the user's choice on ${name} is used with a warning`, (t) => {
    const directory = join(makeDirectory(t), 'cache');
    const fileSystemType = fileSystems({ [directory]: type });
    const options = [`CVMFS_CACHE_DIR=${directory}`];
    const place = cachePlace(load(t, { options }), USER, { shared: [], scratch: [], homes: [], fileSystemType });
    t.is(place.directory, directory);
    t.regex(place.warning ?? '', new RegExp(`is on ${name}`));
  });
}

test('types that the kernel reports as negative numbers are known too', (t) => {
  t.is(
    networkFileSystem('/any', () => 0xff534d42 | 0),
    'CIFS',
  );
  t.is(networkFileSystem('/proc'), undefined);
  t.is(networkFileSystem('/nonexistent'), undefined);
});

test('a private directory that somebody else holds is refused with its reason', (t) => {
  const place = makeDirectory(t);
  mkdirSync(join(place, 'cvmfs-7'), { mode: 0o755 });
  const [candidate] = cacheCandidates(USER, { shared: [place], scratch: [], homes: [] });
  t.regex(candidate.refused ?? '', /is open to others/);
});
