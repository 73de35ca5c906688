// The directory podmanStore of a hub: the hub's layers as an additional image store of containers/storage, driver overlay.
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readHubManifest } from '../../src/images/hub-manifest.ts';
import { REGISTRY } from './image-hub.ts';

/** Makes the store of images that are in the hub with their layers and configuration. `references`: REPOSITORY:TAG. */
export function writePodmanStore(hub: string, references: readonly string[]): void {
  const store = join(hub, 'podmanStore');
  for (const name of ['', 'overlay', 'overlay/l', 'overlay-images', 'overlay-layers']) {
    mkdirSync(join(store, name), { recursive: true });
    if (name !== 'overlay/l') writeFileSync(join(store, name, '.cvmfscatalog'), '');
  }
  const images = references.map((reference) => {
    const manifestFile = join(hub, '.metadata', REGISTRY, reference, 'manifest.json');
    const { config, layers } = readHubManifest(manifestFile);
    const id = config.slice('sha256:'.length);
    const place = join(store, 'overlay-images', id);
    symlinkSync(relative(place, manifestFile), join(place, 'manifest'));
    const names = [`${REGISTRY}/${reference}`];
    return { image: { id, names, layer: layerId(layers.at(-1)!), created: CREATED }, layers: addLayers(hub, layers) };
  });
  writeFileSync(join(store, 'overlay-images/images.json'), JSON.stringify(images.map(({ image }) => image)));
  writeFileSync(join(store, 'overlay-images/images.lock'), '');
  writeFileSync(join(store, 'overlay-layers/layers.json'), JSON.stringify(images.flatMap(({ layers }) => layers)));
  writeFileSync(join(store, 'overlay-layers/layers.lock'), '');
}

/** Links an image's layers, lowest first, from the hub; returns their entries of layers.json. */
function addLayers(hub: string, digests: readonly string[]): object[] {
  const links: string[] = [];
  return digests.map((compressed, i) => {
    const id = layerId(compressed);
    const place = join(hub, 'podmanStore/overlay', id);
    const hex = compressed.slice('sha256:'.length);
    mkdirSync(place);
    symlinkSync(relative(place, join(hub, '.layers', hex.slice(0, 2), hex, 'layerfs')), join(place, 'diff'));
    const link = base32(createHash('sha256').update(id).digest());
    writeFileSync(join(place, 'link'), link);
    symlinkSync(`../${id}/diff`, join(place, '../l', link));
    if (links.length > 0) writeFileSync(join(place, 'lower'), links.map((lower) => `l/${lower}`).join(':'));
    links.unshift(link);
    const parent = i > 0 ? { parent: layerId(digests[i - 1]) } : {};
    const digest = { 'compressed-diff-digest': compressed, 'diff-digest': `sha256:${id}`, 'diff-size': 1 };
    return { id, ...parent, created: CREATED, ...digest };
  });
}

/** That of the uncompressed layer in a real hub. */
function layerId(compressed: string): string {
  return sha256(`uncompressed ${compressed}`);
}

const CREATED = '2026-01-01T00:00:00.000000000Z';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** 26 letters, as containers/storage names the links of layers. */
function base32(bytes: Buffer): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(bytes.subarray(0, 26), (byte) => letters[byte % 32]).join('');
}
