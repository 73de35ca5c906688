// An ordinary user with a home of their own and a copy of the package, who tries the examples.
import { chownSync, cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { user } from '../support/ordinary-user.ts';
import { Installation, type Launch, type Outcome } from '../support/run-cvmfsexec.ts';

/** What the demo's newest `hello` says. */
export const GREETING = /^Greetings to \S+ from version 1\.1, stranger!\n$/;
export const HELLO = '/cvmfs/demo.example.org/software/hello';

/** Make one per test file, and `close` it. */
export class Newcomer {
  readonly place = new Installation();
  readonly home: string;
  readonly examples: string;

  constructor() {
    const top = dirname(dirname(this.place.program));
    this.examples = join(top, 'examples');
    cpSync(join(import.meta.dirname, '../../examples'), this.examples, { recursive: true });
    this.home = this.directory('home');
  }

  /** A directory that the user owns. */
  directory(name: string): string {
    const path = join(this.place.directory, name);
    mkdirSync(path);
    chownSync(path, user.uid, user.gid);
    return path;
  }

  /** Runs `examples/demo/env WORDS`. */
  demo(words: readonly string[], options: Partial<Launch> = {}): Promise<Outcome> {
    const env = { HOME: this.home, USER: user.name, LANG: 'C.UTF-8', ...options.env };
    return this.place.command([join(this.examples, 'demo/env'), ...words], { ...options, env });
  }

  close(): Promise<void> {
    return this.place.close();
  }
}
