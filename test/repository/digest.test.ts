import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'ava';
import { digestOf } from '../../src/repository/digest.ts';

const VECTORS = {
  sha1: ['da39a3ee5e6b4b0d3255bfef95601890afd80709', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  rmd160: ['9c1185a5c5e9fc54612808977ee8f548b2258d31-rmd160', '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc-rmd160'],
  shake128: ['7f9c2ba4e88f827d616045507605853ed73b8093-shake128', '5881092dd818bf5cf8a3ddb793fbcba74097d5c5-shake128'],
} as const;

for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
  test(`${algorithm} gives the hash strings of the format`, (t) => {
    const hashes = ['', 'abc'].map((text) => digestOf(algorithm, Buffer.from(text)).toString());
    t.deepEqual(hashes, [...VECTORS[algorithm]]);
  });
}

test('where OpenSSL refuses an algorithm, the error says so', (t) => {
  const directory = mkdtempSync(`${tmpdir()}/digest-test-`);
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  // As on a host in FIPS mode: only what has the property "fips" may be used, and no provider has it.
  const configuration = ['nodejs_conf = a', '[a]', 'alg_section = b', '[b]', 'default_properties = fips=yes', ''];
  writeFileSync(`${directory}/openssl.cnf`, configuration.join('\n'));
  writeFileSync(
    `${directory}/main.mjs`,
    `import { digestOf } from ${JSON.stringify(new URL('../../src/repository/digest.ts', import.meta.url).href)};
    try { digestOf('rmd160', Buffer.of()); } catch (error) { console.log(error.code, error.message); }`,
  );
  const { stdout } = spawnSync(
    process.execPath,
    [`--openssl-config=${directory}/openssl.cnf`, `${directory}/main.mjs`],
    {
      encoding: 'utf8',
    },
  );
  t.regex(stdout, /^NoAlgorithm cannot compute RIPEMD-160: .*FIPS.*\n$/);
});
