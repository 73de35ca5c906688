// The titles of the tests in a file, as they stand in its source: `${…}` where they have something put in.
import { readFileSync } from 'node:fs';

const TITLE = /\(\s*(['`"])((?:(?!\1)[^\\]|\\.)*)\1,\s*(?:async\s*)?\(t\b/g;

export function testTitles(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(TITLE)].map(([, , title = '']) => title.replace(/\\(.)/g, '$1'));
}
