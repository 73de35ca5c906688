// Several small repositories below one web server's root, made by the publisher in a temporary directory.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRepository } from '../../src/publish/create-repository.ts';
import { keyFiles } from '../../src/publish/keys.ts';
import { publish } from '../../src/publish/publish.ts';

export interface TestRepositories {
  /** To be served as /cvmfs. */
  readonly serverRoot: string;
  /** Nothing but the public master keys: for CVMFS_KEYS_DIR. */
  readonly clientKeys: string;
  /** Removes everything. */
  remove(): void;
}

/** `writeTree` fills the empty directory of each. */
export async function makeTestRepositories(
  names: readonly string[],
  writeTree: (directory: string, fqrn: string) => void,
): Promise<TestRepositories> {
  const base = mkdtempSync(join(tmpdir(), 'repositories-'));
  chmodSync(base, 0o755);
  const serverRoot = join(base, 'server');
  const clientKeys = join(base, 'client-keys');
  const remove = (): void => rmSync(base, { recursive: true, force: true, maxRetries: 10 });
  try {
    mkdirSync(clientKeys);
    for (const fqrn of names) {
      const location = { directory: join(serverRoot, fqrn), keysDirectory: join(base, 'keys') };
      const tree = join(base, 'trees', fqrn);
      mkdirSync(tree, { recursive: true });
      writeTree(tree, fqrn);
      await createRepository({ durable: false, ...location, fqrn });
      await publish(location, tree, { durable: false });
      copyFileSync(keyFiles(location.keysDirectory, fqrn).publicKey, join(clientKeys, `${fqrn}.pub`));
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { serverRoot, clientKeys, remove };
}
