import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { masterKeyFiles, parseMasterKey, readMasterKeys } from '../../src/repository/master-keys.ts';

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' });

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(`${tmpdir()}/master-keys-test-`);
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('the keys of a directory are its .pub files, by name', (t) => {
  const path = directory(t);
  for (const name of ['b.pub', 'a.pub', 'c.pub.old', 'pub']) writeFileSync(`${path}/${name}`, PEM);
  t.deepEqual(masterKeyFiles(path), [`${path}/a.pub`, `${path}/b.pub`]);
  t.true(readMasterKeys(masterKeyFiles(path)).every((key) => key.equals(publicKey)));
  t.deepEqual(masterKeyFiles(`${path}/none`), []);
});

test('a key file that is missing, damaged or of another kind is refused by name', (t) => {
  const path = directory(t);
  t.throws(() => readMasterKeys([`${path}/none.pub`]), { code: 'BadKey', message: /none\.pub.*ENOENT/ });
  t.throws(() => parseMasterKey('nonsense', 'x.pub'), { code: 'BadKey', message: /x\.pub/ });
  const { publicKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  t.throws(() => parseMasterKey(curve.export({ type: 'spki', format: 'pem' }), 'x.pub'), {
    code: 'BadKey',
    message: /RSA/,
  });
});
