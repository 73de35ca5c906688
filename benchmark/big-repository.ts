// Makes the big benchmark repository once: `node benchmark/big-repository.ts DIRECTORY`. In DIRECTORY are then `tree`
// (the same tree on disk), `server/big.example.org` (what a web server shows as /cvmfs/big.example.org), `keys`,
// `client-keys` (the public key only) and `inventory.json`.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRepository } from '../src/publish/create-repository.ts';
import { publish } from '../src/publish/publish.ts';
import { type BigTreeCounts, type BigTreePlaces, type Scale, writeBigTree } from './big-tree.ts';

export const BIG_FQRN = 'big.example.org';

export interface BigRepository {
  readonly fqrn: string;
  readonly seed: number;
  readonly scale: Scale;
  readonly counts: BigTreeCounts;
  readonly places: BigTreePlaces;
  /** Stored objects and their bytes. */
  readonly objects: number;
  readonly objectBytes: number;
  /** Seconds that it took. */
  readonly treeSeconds: number;
  readonly publishSeconds: number;
}

/** Makes it unless DIRECTORY has it already with the same seed and scale; a half-made one is made anew. */
export async function makeBigRepository(directory: string, seed = 1, scale: Scale = 1): Promise<BigRepository> {
  const inventory = join(directory, 'inventory.json');
  if (existsSync(inventory)) {
    const made = JSON.parse(readFileSync(inventory, 'utf8')) as BigRepository;
    if (made.seed === seed && made.scale === scale) return made;
  }
  const tree = join(directory, 'tree');
  for (const part of ['inventory.json', 'tree', 'server', 'keys', 'client-keys']) {
    rmSync(join(directory, part), { recursive: true, force: true });
  }
  for (const part of ['tree', 'client-keys']) mkdirSync(join(directory, part), { recursive: true, mode: 0o755 });
  const started = performance.now();
  const { counts, places } = writeBigTree(tree, seed, scale);
  const written = performance.now();
  const keysDirectory = join(directory, 'keys');
  const location = { directory: join(directory, 'server', BIG_FQRN), keysDirectory };
  await createRepository({ ...location, fqrn: BIG_FQRN, validDays: 3650, durable: false });
  const result = await publish(location, tree, { xattrs: new Map(), durable: false });
  copyFileSync(join(keysDirectory, `${BIG_FQRN}.pub`), join(directory, 'client-keys', `${BIG_FQRN}.pub`));
  const made: BigRepository = {
    fqrn: BIG_FQRN,
    seed,
    scale,
    counts,
    places,
    objects: result.objectsWritten,
    objectBytes: result.bytesWritten,
    treeSeconds: (written - started) / 1000,
    publishSeconds: (performance.now() - written) / 1000,
  };
  writeFileSync(inventory, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [directory, seed = '1', scale = '1'] = process.argv.slice(2);
  if (directory === undefined) {
    process.stderr.write('usage: node benchmark/big-repository.ts DIRECTORY [SEED [SCALE]]\n');
    process.exitCode = 125;
  } else {
    console.log(JSON.stringify(await makeBigRepository(directory, Number(seed), Number(scale)), null, 2));
  }
}
