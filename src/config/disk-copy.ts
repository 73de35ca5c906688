// A configuration repository's files in a temporary directory, for a shell that has to run one of them: it may include
// others, by paths relative or below /cvmfs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ConfigurationFiles, SignedTree } from './configuration-files.ts';
import type { ShellOutcome } from './shell-evaluation.ts';

/** Where a shell finds them. */
export interface DiskCopy {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Configuration files are short, and a repository has not many. */
const MAX_FILE = 1 << 17;
const MAX_FILES = 2000;

/** `directory` and `environment` as they would be with the repository mounted; paths in the values are so again. */
export function withTreeOnDisk(
  files: ConfigurationFiles,
  environment: Readonly<Record<string, string>>,
  directory: string,
  run: (copy: DiskCopy) => ShellOutcome,
): ShellOutcome {
  const { mountpoint } = files.signed as SignedTree;
  const mountDirectory = dirname(mountpoint);
  const content = contentOf(files, `${mountpoint}/etc/cvmfs`);
  const copy = mkdtempSync(join(tmpdir(), 'cvmfs-configuration-'));
  try {
    for (const [path, bytes] of content) {
      mkdirSync(dirname(copy + path), { recursive: true });
      writeFileSync(copy + path, bytes);
    }
    const outcome = run({
      directory: copy + directory,
      environment: { ...environment, CVMFS_MOUNT_DIR: copy + mountDirectory },
    });
    if (!('values' in outcome)) return outcome;
    return { values: new Map([...outcome.values].map(([name, value]) => [name, value.replaceAll(copy, '')])) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** All files by their paths. */
function contentOf(files: ConfigurationFiles, directory: string): Map<string, Buffer> {
  const paths: string[] = [];
  const walk = (inside: string): void => {
    for (const name of files.list(inside)) {
      const path = `${inside}/${name}`;
      if (files.kind(path) === 'file') paths.push(path);
      else walk(path);
      if (paths.length >= MAX_FILES) return;
    }
  };
  walk(directory);
  files.prefetch(paths);
  const content = new Map<string, Buffer>();
  for (const path of paths) {
    const bytes = files.read(path);
    if (bytes && bytes.length <= MAX_FILE) content.set(path, bytes);
  }
  return content;
}
