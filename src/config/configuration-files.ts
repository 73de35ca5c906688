// All files that configuration may be in: the machine's own, and in place of what is mounted at /cvmfs/<configuration
// repository> the tree of that repository, mounted or not.
import { posix } from 'node:path';
import type { FileTree } from './file-tree.ts';
import { localFiles } from './local-files.ts';

export interface SignedTree {
  /** Absolute path where it would be mounted. */
  readonly mountpoint: string;
  readonly tree: FileTree;
}

export class ConfigurationFiles implements FileTree {
  readonly signed: SignedTree | undefined;

  constructor(signed?: SignedTree) {
    this.signed = signed;
  }

  read(path: string): Buffer | undefined {
    const { tree, inside } = this.#locate(path);
    return tree.read(inside);
  }

  kind(path: string): 'file' | 'directory' | undefined {
    const { tree, inside } = this.#locate(path);
    return tree.kind(inside);
  }

  list(path: string): string[] {
    const { tree, inside } = this.#locate(path);
    return tree.list(inside);
  }

  prefetch(paths: readonly string[]): void {
    const { tree, mountpoint } = this.signed ?? {};
    if (mountpoint === undefined) return;
    const signed = paths.filter((path) => this.isSigned(path));
    tree?.prefetch?.(signed.map((path) => posix.normalize(path).slice(mountpoint.length)));
  }

  /** Whether a path lies in the configuration repository, whose content is signed. */
  isSigned(path: string): boolean {
    const { mountpoint } = this.signed ?? {};
    return mountpoint !== undefined && posix.normalize(path).startsWith(`${mountpoint}/`);
  }

  #locate(path: string): { tree: FileTree; inside: string } {
    const { signed } = this;
    if (!signed || !this.isSigned(path)) return { tree: localFiles, inside: path };
    return { tree: signed.tree, inside: posix.normalize(path).slice(signed.mountpoint.length) };
  }
}
