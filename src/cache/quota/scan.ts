// What is really in a cache directory: for objects that no ledger knows of, as the reference client, a copy or another
// machine put them there.
import { lstatSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';

export interface FoundObject {
  /** Hash string without letter. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  /** Last access, milliseconds since 1970. */
  readonly used: number;
}

const NAME = /^[0-9a-f]{38}(?:-rmd160|-shake128)?$/;
/** Files looked at before others get their turn. */
const AT_ONCE = 64;

/** All objects of one of the 256 directories after the other. Other files are passed over. Never throws. */
export async function* scanObjects(directory: string): AsyncGenerator<readonly FoundObject[]> {
  for (let i = 0; i < 256; i++) {
    const prefix = i.toString(16).padStart(2, '0');
    const names = (await list(`${directory}/${prefix}`)).filter((name) => NAME.test(name));
    const found: FoundObject[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      for (const name of names.slice(at, at + AT_ONCE)) {
        const stat = statOf(`${directory}/${prefix}/${name}`);
        if (stat?.isFile()) found.push({ hash: prefix + name, size: stat.size, used: stat.atimeMs });
      }
    }
    yield found;
  }
}

/** Where an object of this hash string is. */
export function pathOfObject(directory: string, hash: string): string {
  return `${directory}/${hash.slice(0, 2)}/${hash.slice(2)}`;
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch {
    return [];
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
