// The head of the single file: src/launcher/single-file.sh with its words filled in.
import { createHash } from 'node:crypto';
import type { Contents } from './contents.ts';
import type { LoadedProgram } from './loaded-program.ts';

export interface HeadWords {
  readonly template: string;
  readonly contents: Contents;
  readonly node: Pick<LoadedProgram, 'machine' | 'loader'>;
  /** Which program answers where the file has a name that is none's. */
  readonly defaultProgram: string;
  readonly archive: Buffer;
}

const OFFSET_DIGITS = 8;
const BLOCK = 4096;

export function head({ template, contents, node, defaultProgram, archive }: HeadWords): Buffer {
  const names = programs(contents);
  const files = [...contents].filter(([, { content }]) => content.length > 0).map(([path]) => path);
  const words: Readonly<Record<string, string>> = {
    VERSION: createHash('sha256').update(archive).digest('hex'),
    MACHINE: node.machine,
    LOADER: node.loader,
    ROOM: String(room(contents)),
    NAMES: names.join(', '),
    PROGRAMS: names.join(' | '),
    DEFAULT: defaultProgram,
    FILES: files.sort().join(' '),
    OFFSET: '0'.repeat(OFFSET_DIGITS),
  };
  const text = template.replace(/@([A-Z]+)@/g, (whole, name) => words[name] ?? whole);
  const offset = String(Buffer.byteLength(text) + 1).padStart(OFFSET_DIGITS, '0');
  return Buffer.from(text.replace(`cx_offset='${words.OFFSET}'`, `cx_offset='${offset}'`));
}

/** Those in bin/. */
export function programs(contents: Contents): string[] {
  return [...contents.keys()].flatMap((path) => /^bin\/([^/]+)$/.exec(path)?.[1] ?? []).sort();
}

/** In kB, with a reserve of a sixteenth. */
function room(contents: Contents): number {
  let bytes = 0;
  for (const { content } of contents.values()) bytes += Math.ceil(content.length / BLOCK) * BLOCK;
  return Math.ceil((bytes * 17) / 16 / 1024);
}
