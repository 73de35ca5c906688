// Repositories made by the reference publisher, mounted and compared with listings made through the reference client.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TestServer } from '../support/http-server.ts';
import { type Identity, Installation, identities } from '../support/run-cvmfsexec.ts';

const SHARED = join(import.meta.dirname, '../../../shared');
const FIXTURES = join(SHARED, 'fixtures');
const COMPARE = join(SHARED, 'tools/compare-tree');
const present = existsSync(COMPARE) && existsSync(join(FIXTURES, 'small.example.org.tar.gz'));

const place = new Installation();
let server: TestServer;

test.before(async () => {
  const served = join(place.directory, 'served');
  mkdirSync(served);
  server = await TestServer.start({ root: served });
  if (!present) return;
  for (const fqrn of ['small', 'hash', 'config', 'ext']) unpack(`${fqrn}.example.org.tar.gz`, join(served, 'cvmfs'));
  unpack('ext.example.org.external-data.tar.gz', join(served, 'external'));
});

test.after.always(async () => {
  await server?.close();
  await place.close();
});

interface Comparison {
  readonly fqrn: string;
  /** File name of the listing. */
  readonly listing: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly under?: string;
}

const SMALL = 'small.example.org';
const VARIABLES = { CVMFS_TEST_ARCH: 'aarch64', CVMFS_TEST_VERSION: 'v1.0', A: 'aa', HOME: '/home/x' };

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  'the newest revision of small': { fqrn: SMALL, listing: `${SMALL}.manifest.jsonl` },
  'small with variables': {
    fqrn: SMALL,
    listing: `${SMALL}+variables.manifest.jsonl`,
    env: VARIABLES,
    under: '/variant',
  },
  ...Object.fromEntries(
    ['v1.0', 'hardlinks', 'v2.0', 'v2.1'].map((tag) => [
      `the tag ${tag} of small`,
      { fqrn: SMALL, listing: `${SMALL}@${tag}.manifest.jsonl.gz`, parameters: { REPOSITORY_TAG: tag } },
    ]),
  ),
  ...Object.fromEntries(
    ['hash', 'config', 'ext'].map((name) => [
      `the newest revision of ${name}`,
      { fqrn: `${name}.example.org`, listing: `${name}.example.org.manifest.jsonl` },
    ]),
  ),
};

for (const identity of identities) {
  // Its revisions share most objects: one cache, as a user has it.
  const cache = place.newPath();
  for (const [name, comparison] of Object.entries(COMPARISONS)) {
    test.serial(`${identity.name}: ${name} is as the reference client shows it`, async (t) => {
      if (!present) {
        t.log('skipped: no fixtures in ../shared');
        t.pass();
        return;
      }
      const { exitCode, stdout, stderr } = await place.run(launchOf(comparison, identity, cache));
      t.regex(stdout, /^[1-9]\d* entries, 0 differences\n$/);
      t.is(stderr, '');
      t.is(exitCode, 0);
    });
  }
}

function launchOf({ fqrn, listing, parameters, env, under }: Comparison, identity: Identity, cache: string) {
  const ordinary = identity.name === 'ordinary user';
  const { uid, gid } = identity;
  const command = [COMPARE, `/cvmfs/${fqrn}`, join(FIXTURES, listing)];
  if (ordinary) command.push('--claim-owner', `${uid}:${gid}`);
  if (under) command.push('--under', under);
  return {
    as: identity,
    repositories: [fqrn],
    command,
    env,
    parameters: {
      SERVER_URL: `${server.url}/cvmfs/@fqrn@`,
      EXTERNAL_URL: `${server.url}/external/@fqrn@`,
      KEYS_DIR: join(FIXTURES, 'keys'),
      CACHE_BASE: cache,
      CLAIM_OWNERSHIP: ordinary ? 'yes' : 'no',
      ...parameters,
    },
  };
}

function unpack(archive: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  const { status, stderr } = spawnSync('tar', ['-xzf', join(FIXTURES, archive), '-C', directory]);
  if (status !== 0) throw new Error(`tar: ${stderr}`);
}
