// What a hub keeps of images: chain ids, manifests, and which parts of an image are there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { chainId } from '../../src/images/chain-id.ts';
import { imageParts } from '../../src/images/hub.ts';
import { readHubManifest } from '../../src/images/hub-manifest.ts';
import { REGISTRY } from '../support/image-hub.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`);
const directory = mkdtempSync(join(tmpdir(), 'hub-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

/** By sha256sum(1). */
const CHAIN_OF_A = '9f447b1b473d359884f2b8541a1ad0b7d194ed59b79e8eee48047ec4830564fd';
const CHAIN_OF_A_AND_B = 'cf899a1982a597d90e00c94ecfb7b79be1ff95173488f6db5b844052e4cb9d83';

test('a chain id is a hash over the digests of the layers below, and the first is hashed too', (t) => {
  t.is(chainId([A]), CHAIN_OF_A);
  t.is(chainId([A, B]), CHAIN_OF_A_AND_B);
});

let files = 0;
function manifest(content: unknown): string {
  const place = join(directory, '.metadata', REGISTRY, `image:${++files}`);
  mkdirSync(place, { recursive: true });
  const file = join(place, 'manifest.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

test('a manifest is read with capital and with small letters, without foreign layers', (t) => {
  const layer = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  const expected = { config: C, layers: [A, B] };
  const capital = [
    { MediaType: layer, Digest: A },
    { MediaType: foreign, Digest: C },
    { MediaType: layer, Digest: B },
  ];
  t.deepEqual(readHubManifest(manifest({ Config: { Digest: C }, Layers: capital })), expected);
  const small = [{ mediaType: layer, digest: A }, { digest: B }];
  t.deepEqual(readHubManifest(manifest({ config: { digest: C }, layers: small })), expected);
});

test('what is no manifest is refused', (t) => {
  const bad = [
    'no JSON',
    'null',
    [],
    {},
    { Config: { Digest: C }, Layers: [] },
    { Config: { Digest: C }, Layers: [{ Digest: 'sha256:../../x' }] },
    { Config: { Digest: 7 }, Layers: [{ Digest: A }] },
    { Config: { Digest: C }, Layers: [null] },
  ];
  for (const content of bad) {
    t.throws(
      () => readHubManifest(manifest(content)),
      { name: 'ImageError', code: 'MANIFEST' },
      JSON.stringify(content),
    );
  }
  t.throws(() => readHubManifest(join(directory, 'none')), { code: 'MANIFEST' });
});

test.serial(
  'the whole tree is preferred, a chain that is half made is not taken, and a missing layer is named',
  (t) => {
    const file = manifest({ Config: { Digest: C }, Layers: [{ Digest: A }, { Digest: B }] });
    const make = (...path: string[]) => {
      const made = join(directory, ...path);
      mkdirSync(made, { recursive: true });
      return made;
    };
    t.throws(() => imageParts(file), { code: 'MISSING_LAYER', message: new RegExp(A) });
    const lower = make('.layers/aa', A.slice(7), 'layerfs');
    const upper = make('.layers/bb', B.slice(7), 'layerfs');
    t.deepEqual(imageParts(file), { layers: [upper, lower] });
    const chain = make('.chains', CHAIN_OF_A_AND_B.slice(0, 2), CHAIN_OF_A_AND_B);
    const mark = make('.dirty-chains', CHAIN_OF_A_AND_B);
    t.deepEqual(imageParts(file), { layers: [upper, lower] });
    rmSync(mark, { recursive: true });
    t.deepEqual(imageParts(file), { tree: chain });
    const flat = make('.flat/cc', C.slice(7));
    const store = make('podmanStore/overlay-images', C.slice(7));
    const configuration = join(store, `=${Buffer.from(C).toString('base64')}`);
    writeFileSync(configuration, '{}');
    t.deepEqual(imageParts(file), { tree: flat, configuration });
    t.deepEqual(imageParts(manifest({ Config: { Digest: B }, Layers: [{ Digest: A }] })), { tree: lower });
  },
);
