// Where a hub, a repository full of images, keeps the parts of one.
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chainId } from './chain-id.ts';
import { ImageError } from './errors.ts';
import { type HubManifest, readHubManifest } from './hub-manifest.ts';

export interface ImageParts {
  /** Directory with the whole file tree, whiteouts applied. */
  readonly tree?: string;
  /** Else: directories of the layers, topmost first; whiteouts are files `.wh.NAME`. */
  readonly layers?: readonly string[];
  /** File of the OCI configuration. */
  readonly configuration?: string;
}

/**
 * The parts of the image with manifest HUB/.metadata/.../manifest.json, as far as they are there.
 * @throws ImageError MANIFEST, MISSING_LAYER
 */
export function imageParts(manifestFile: string): ImageParts {
  const file = resolve(manifestFile);
  const end = file.indexOf('/.metadata/');
  if (end < 0) throw new ImageError('MANIFEST', `${file} is not below a hub's directory .metadata`);
  const hub = file.slice(0, end);
  const manifest = readHubManifest(file);
  const tree = wholeTree(hub, manifest);
  const configuration = configurationFile(hub, manifest);
  return {
    ...(tree ? { tree } : { layers: layerDirectories(hub, manifest.layers).reverse() }),
    ...(configuration ? { configuration } : {}),
  };
}

function wholeTree(hub: string, { config, layers }: HubManifest): string | undefined {
  const flat = join(hub, '.flat', spread(config));
  if (isDirectory(flat)) return flat;
  const chain = chainId(layers);
  const directory = join(hub, '.chains', chain.slice(0, 2), chain);
  if (isDirectory(directory) && !existsSync(join(hub, '.dirty-chains', chain))) return directory;
  // Below the lowest layer there is nothing that it could remove.
  return layers.length === 1 ? layerDirectories(hub, layers)[0] : undefined;
}

function layerDirectories(hub: string, layers: readonly string[]): string[] {
  return layers.map((digest) => {
    const directory = join(hub, '.layers', spread(digest), 'layerfs');
    if (!isDirectory(directory)) throw new ImageError('MISSING_LAYER', `layer ${digest} is not in ${hub}`);
    return directory;
  });
}

/** As containers/storage names it: the key in base64, because of its colon. */
function configurationFile(hub: string, { config }: HubManifest): string | undefined {
  const name = `=${Buffer.from(config).toString('base64')}`;
  const file = join(hub, 'podmanStore/overlay-images', hex(config), name);
  return existsSync(file) ? file : undefined;
}

function hex(digest: string): string {
  return digest.slice('sha256:'.length);
}

/** XX/<hex> */
function spread(digest: string): string {
  return join(hex(digest).slice(0, 2), hex(digest));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
