// Repositories that are not for everybody: the helper program decides, servers see what it hands out.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parseManifest } from '../../src/repository/manifest.ts';
import { type HelperBehaviour, writeAuthzHelper } from '../support/authz-helper.ts';
import { TestServer } from '../support/http-server.ts';
import { Installation, identities, type Outcome } from '../support/run-cvmfsexec.ts';
import { makeTamperable, resign, type Tamperable } from '../support/tamperable-repository.ts';

const TOKEN = 'a.bearer.token';

const place = new Installation();
let tamperable: Tamperable;
let server: TestServer;
let bundle: string;

test.before(async () => {
  tamperable = await makeTamperable();
  const root = join(place.directory, 'served');
  mkdirSync(root);
  const sql = "INSERT INTO properties (key, value) VALUES ('voms_authz', 'test%/vo')";
  await resign(tamperable, root, sql, () => ({ alternativePath: true }));
  const directory = join(root, tamperable.repository.fqrn);
  const { rootHash, certificate } = parseManifest(readFileSync(join(directory, '.cvmfspublished')));
  // What is needed before anybody is known lies where everybody may read it.
  for (const [hash, letter] of [
    [rootHash, 'C'],
    [certificate!, 'X'],
  ] as const) {
    const object = `data/${hash.hex.slice(0, 2)}/${hash.tail}${letter}`;
    copyFileSync(join(directory, object), join(directory, `.cvmfsalt-${hash}${letter}`));
  }
  const [key, cert] = [join(place.directory, 'key.pem'), join(place.directory, 'cert.pem')];
  bundle = cert;
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-nodes'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject], { stdio: 'ignore' });
  server = await TestServer.start({
    root,
    tls: { key: readFileSync(key), cert: readFileSync(cert) },
    admit: ({ path, headers }) => !path.includes('/data/') || headers.authorization === `Bearer ${TOKEN}`,
  });
});

test.after.always(async () => {
  await server?.close();
  await place.close();
  tamperable?.repository.remove();
});

function run(
  script: string,
  behaviour: Omit<HelperBehaviour, 'log'> | undefined,
  as = identities[0],
): Promise<Outcome> {
  const helper = place.newPath();
  if (behaviour) writeAuthzHelper(helper, { ...behaviour, log: `${helper}.log` }, place.node);
  return place.run({
    as,
    repositories: [tamperable.repository.fqrn],
    command: ['sh', '-c', `cd /; ${script}`],
    env: { X509_CERT_BUNDLE: bundle },
    parameters: {
      SERVER_URL: `${server.url}/@fqrn@`,
      KEYS_DIR: tamperable.repository.clientKeys,
      BACKOFF_INIT: '0',
      AUTHZ_HELPER: helper,
    },
  });
}

test.serial('a member reads with the token that the helper hands out', async (t) => {
  const script = 'cat /cvmfs/tamper.example.org/other; ls /cvmfs/tamper.example.org/nested';
  const { stdout, stderr, exitCode } = await run(script, { answer: { status: 0, bearer_token: TOKEN } });
  t.is(stderr, '');
  t.is(stdout, 'other content\nfile\n');
  t.is(exitCode, 0);
  t.true(server.paths(/\/data\//).length > 0);
});

test.serial('who is not a member gets EACCES, also root of the job’s own namespace', async (t) => {
  const before = server.paths(/\/data\//).length;
  const script = 'cat /cvmfs/tamper.example.org/other; ls /cvmfs/tamper.example.org';
  const { stdout, stderr, exitCode } = await run(script, { answer: { status: 3 } });
  t.is(stdout, '');
  t.regex(stderr, /not a member/);
  t.regex(stderr, /Permission denied/);
  t.not(exitCode, 0);
  t.is(server.paths(/\/data\//).length, before);
});

test.serial('without a helper nobody is a member', async (t) => {
  const { stdout, stderr } = await run('cat /cvmfs/tamper.example.org/other', undefined);
  t.is(stdout, '');
  t.regex(stderr, /cannot be started/);
});
