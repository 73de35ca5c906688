import test from 'ava';
import type { ObjectReader } from '../../src/repository/source.ts';
import { fetchManifest } from '../../src/repository/verification.ts';
import type { TestRepository } from './fixtures.ts';
import { outcome } from './outcome.ts';
import { damageEnd, FQRN, master, remove, signedRepository } from './signed-repository.ts';

const MANIFEST = '/.cvmfspublished';
const WHITELIST = '/.cvmfswhitelist';
const OPTIONS = { fqrn: FQRN, masterKeys: [master.publicKey] };

/** Two servers: every failure that may be the server's own is tried once at the second. */
function failover(first: TestRepository, second: TestRepository) {
  let switched = 0;
  let current = first;
  const source = {
    file: (path: string, limit: number) => current.file(path, limit),
    switchServer: () => {
      switched++;
      current = second;
      return true;
    },
  };
  const objects: ObjectReader = { open: (hash) => current.open(hash), fetch: (request) => current.fetch(request) };
  return { verification: fetchManifest(source, objects, OPTIONS), switches: () => switched };
}

test('a server with a bad signature is left for the next one', async (t) => {
  const bad = signedRepository();
  damageEnd(MANIFEST)(bad);
  const { verification, switches } = failover(bad, signedRepository());
  t.is(await outcome(verification), 'ok');
  t.is(switches(), 1);
});

test('the next server is tried once only', async (t) => {
  const [first, second] = [signedRepository(), signedRepository()];
  for (const repository of [first, second]) damageEnd(WHITELIST)(repository);
  const { verification, switches } = failover(first, second);
  t.is(await outcome(verification), 'BadWhitelist signature');
  t.is(switches(), 1);
});

test('no other server is asked when none answers, or when the certificate is not listed', async (t) => {
  const silent = signedRepository();
  remove(MANIFEST)(silent);
  const unlisted = signedRepository({ whitelist: { fingerprints: [] } });
  for (const [first, code] of [
    [silent, 'Load'],
    [unlisted, 'InvalidCertificate'],
  ] as const) {
    const { verification, switches } = failover(first, signedRepository());
    t.is(await outcome(verification), code);
    t.is(switches(), 0);
  }
});
