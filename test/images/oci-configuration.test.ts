// What OCI configurations say of the command and its environment.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readOciConfiguration } from '../../src/images/oci-configuration.ts';

const directory = mkdtempSync(join(tmpdir(), 'oci-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
function read(content: unknown) {
  const file = join(directory, String(++files));
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readOciConfiguration(file);
}

test('an image configuration: entrypoint, then command', (t) => {
  const config = { Env: ['A=1', 'B=', 'none', '=x'], Entrypoint: ['/bin/tini', '--'], Cmd: ['sh', '-c', "it's"] };
  t.deepEqual(read({ config }), { env: ['A=1', 'B='], command: ['/bin/tini', '--', 'sh', '-c', "it's"] });
  t.deepEqual(read({ config: { Entrypoint: null, Cmd: ['bash'] } }), { env: [], command: ['bash'] });
  t.deepEqual(read({ config: {} }), { env: [], command: [] });
  t.deepEqual(read({}), { env: [], command: [] });
});

test('a runtime bundle', (t) => {
  const process = { args: ['sleep', '5'], env: ['PATH=/bin'], cwd: '/' };
  t.deepEqual(read({ ociVersion: '1.0.2', process }), { env: ['PATH=/bin'], command: ['sleep', '5'] });
});

test('what cannot be read is refused, and words that no command can have', (t) => {
  for (const content of ['', '[', 'null', { config: { Cmd: ['a\0b'] } }, { config: { Env: ['A=\0'] } }]) {
    t.throws(() => read(content), { name: 'ImageError', code: 'CONFIGURATION' });
  }
  t.throws(() => readOciConfiguration(join(directory, 'none')), { code: 'CONFIGURATION' });
});
