// What was found out about the network, kept beside the cache for the next start: the site's proxies and the order of the
// servers. Without a place to keep it, it lasts as long as the process.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export interface Remembered<T> {
  /** What it is the answer to; for any other question it means nothing. */
  readonly question: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly answer: T;
}

interface Notes {
  /** A list of proxies, '' when the site announces none. */
  readonly proxies?: Remembered<string>;
  /** Names of servers, and of the first proxies of fallback groups, the nearest first. */
  readonly order?: Remembered<{ readonly servers: readonly string[]; readonly fallback: readonly number[] }>;
}

export class NetworkMemory {
  readonly #file: string | undefined;
  #notes: Notes | undefined;

  /** `directory`: the cache's; undefined: nothing is kept. `name` tells repositories that share a cache apart. */
  constructor(directory: string | undefined, name: string) {
    this.#file = directory === undefined ? undefined : `${directory}/network.${name}.json`;
  }

  recall<K extends keyof Notes>(kind: K, question: string): (Notes[K] & { readonly age: number }) | undefined {
    this.#notes ??= this.#read();
    const note = this.#notes[kind];
    if (note?.question !== question) return undefined;
    // A clock that was set back makes nothing young again.
    const age = Math.abs(Date.now() / 1000 - note.time);
    return { ...note, age } as Notes[K] & { readonly age: number };
  }

  /** A cache that cannot be written to is no reason to fail. */
  note<K extends keyof Notes>(kind: K, question: string, answer: NonNullable<Notes[K]>['answer']): void {
    // Another process may have noted something else meanwhile.
    const notes = { ...this.#notes, ...this.#read(), [kind]: { question, time: Date.now() / 1000, answer } };
    this.#notes = notes;
    if (this.#file === undefined) return;
    // Process ids are those of namespaces: several servers that share a cache may have the same.
    const temporary = `${this.#file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    try {
      writeFileSync(temporary, `${JSON.stringify(notes)}\n`, { mode: 0o660, flag: 'wx' });
      renameSync(temporary, this.#file);
    } catch {
      rmSync(temporary, { force: true });
    }
  }

  #read(): Notes {
    if (this.#file === undefined) return {};
    try {
      return notesOf(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch {
      return {};
    }
  }
}

/** Only what has the right shape: the file may be anybody's who may write to the cache. */
function notesOf(value: unknown): Notes {
  const { proxies, order } = (value ?? {}) as { proxies?: Remembered<unknown>; order?: Remembered<unknown> };
  const answer = order?.answer as { servers?: unknown; fallback?: unknown } | undefined;
  return {
    ...(isNote(proxies) && typeof proxies.answer === 'string' ? { proxies: proxies as Remembered<string> } : {}),
    ...(isNote(order) && isList(answer?.servers, 'string') && isList(answer?.fallback, 'number')
      ? { order: order as NonNullable<Notes['order']> }
      : {}),
  };
}

function isNote(value: Remembered<unknown> | undefined): value is Remembered<unknown> {
  return typeof value === 'object' && typeof value?.question === 'string' && typeof value.time === 'number';
}

function isList(value: unknown, type: 'string' | 'number'): boolean {
  return Array.isArray(value) && value.every((member) => typeof member === type);
}
