// The manifest that a hub keeps of an image, .metadata/REGISTRY/REPOSITORY:TAG/manifest.json: that of the registry,
// serialized anew with capital letters.
import { readFileSync } from 'node:fs';
import { ImageError } from './errors.ts';

export interface HubManifest {
  /** `sha256:<hex>` of the image's configuration. */
  readonly config: string;
  /** `sha256:<hex>` of the compressed layers, lowest first. */
  readonly layers: readonly string[];
}

/** @throws ImageError MANIFEST */
export function readHubManifest(file: string): HubManifest {
  let manifest: Fields;
  try {
    manifest = lowerCased(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new ImageError('MANIFEST', `cannot read the image's manifest ${file}: ${(cause as Error).message}`, cause);
  }
  const layers = Array.isArray(manifest.layers) ? manifest.layers.map(lowerCased) : [];
  const digests = layers
    .filter(({ mediatype }) => !String(mediatype).includes('.foreign.'))
    .map(({ digest }) => digest);
  const config = lowerCased(manifest.config).digest;
  if (!isDigest(config) || digests.length === 0 || !digests.every(isDigest)) {
    throw new ImageError('MANIFEST', `${file} is no manifest of an image`);
  }
  return { config, layers: digests };
}

type Fields = Readonly<Record<string, unknown>>;

function lowerCased(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]));
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
