// Cache directories: one for each contestant of a row.
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from './contestants/contestant.ts';
import type { OrdinaryUser } from './ordinary-user.ts';

export class Caches {
  readonly #parent: string;
  readonly #user: OrdinaryUser;
  readonly #made = new Map<string, string>();

  constructor(parent: string, user: OrdinaryUser) {
    this.#parent = parent;
    this.#user = user;
  }

  empty({ name }: Contestant): string {
    const old = this.#made.get(name);
    if (old) rmSync(old, { recursive: true, force: true });
    const directory = mkdtempSync(join(this.#parent, `${name}-`));
    if (this.#user.change) chownSync(directory, this.#user.uid, this.#user.gid);
    this.#made.set(name, directory);
    return directory;
  }

  async full(contestant: Contestant, warm: (cache: string) => Promise<unknown>): Promise<string> {
    const made = this.#made.get(contestant.name);
    if (made) return made;
    const directory = this.empty(contestant);
    await warm(directory);
    return directory;
  }

  remove(): void {
    for (const directory of this.#made.values()) rmSync(directory, { recursive: true, force: true });
    this.#made.clear();
  }
}
