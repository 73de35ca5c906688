// Paths of sockets have room for 107 bytes, which a cache directory easily exceeds: sockets are reached through an open
// descriptor of their directory.
import { closeSync, constants, openSync } from 'node:fs';

export class ShortPath {
  readonly #fd: number;

  /** Throws the error of open(2). */
  constructor(directory: string) {
    this.#fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Valid until `close`. */
  of(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
