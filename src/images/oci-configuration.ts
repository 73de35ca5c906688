// What an image says of its command and environment: the OCI image configuration (image-spec, config.md: `config`), or that
// of a runtime bundle (runtime-spec, config.md: `process`).
import { readFileSync } from 'node:fs';
import { ImageError } from './errors.ts';

export interface OciConfiguration {
  /** NAME=VALUE */
  readonly env: readonly string[];
  /** Entrypoint and command; empty if it names none. */
  readonly command: readonly string[];
}

/** @throws ImageError CONFIGURATION */
export function readOciConfiguration(file: string): OciConfiguration {
  try {
    const { config, process } = JSON.parse(readFileSync(file, 'utf8'));
    const env = strings(config?.Env ?? process?.env).filter((entry) => /^[^=]+=/.test(entry));
    const command = process ? strings(process.args) : [...strings(config?.Entrypoint), ...strings(config?.Cmd)];
    if ([...env, ...command].some((word) => word.includes('\0'))) throw new Error('a NUL in a word');
    return { env, command };
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new ImageError('CONFIGURATION', `cannot read the image's configuration ${file}: ${reason}`, cause);
  }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
