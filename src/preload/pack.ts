// Puts what was loaded into an archive, with tar(1). Unpacked anywhere it is a cache again.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PreloadError } from './errors.ts';

export interface PackOptions {
  /** The cache directory. */
  readonly directory: string;
  /** An absolute path; '-': standard output. */
  readonly archive: string;
  /** Names of the repositories whose notes go along. */
  readonly repositories: readonly string[];
  /** For tar's --mode; default: as the files are. */
  readonly mode?: string;
}

/**
 * @param files gives the paths of the objects, relative to the directory
 * @throws PreloadError PACK
 */
export async function pack(options: PackOptions, files: (add: (path: string) => void) => Promise<void>): Promise<void> {
  const { directory, archive, repositories, mode } = options;
  const words = ['--create', `--file=${archive}`, `--directory=${directory}`, '--no-recursion', '--files-from=-'];
  const tar = spawn('tar', mode ? [...words, `--mode=${mode}`] : words, { stdio: ['pipe', 'inherit', 'pipe'] });
  let complaints = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(0, 2000);
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    tar.on('error', reject).on('close', (code, signal) => resolve(code ?? signal ?? 'no status'));
  });
  ended.catch(() => {});
  tar.stdin.on('error', () => {}); // it has ended: its status says why
  const added = new Set<string>();
  const add = (path: string): void => {
    if (added.has(path)) return;
    added.add(path);
    tar.stdin.write(`${path}\n`);
  };
  try {
    for (const path of skeleton(directory, repositories)) add(path);
    await files(add);
    tar.stdin.end();
    const status = await ended;
    if (status === 0) return;
    throw new Error(complaints.trim().split('\n')[0] || `tar ended with ${status}`);
  } catch (cause) {
    tar.kill();
    throw new PreloadError('PACK', `cannot write the archive ${archive}: ${(cause as Error).message}`, cause);
  }
}

/** All that makes the directory a cache, as far as it is there. */
function skeleton(directory: string, repositories: readonly string[]): string[] {
  const numbers = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
  const names = ['.', '.cvmfscache', 'txn', ...numbers, ...repositories.map((fqrn) => `cvmfschecksum.${fqrn}`)];
  return names.filter((name) => existsSync(`${directory}/${name}`));
}
