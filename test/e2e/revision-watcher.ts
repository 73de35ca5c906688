// Runs inside a job while its repository goes from revision to revision, and checks everything it sees: `revision-watcher
// MOUNT SECONDS [UNCHANGED]`. Each revision N has `value` (lines of N only), `numbers/N-*`, and what is in UNCHANGED (default
// MOUNT) is always the same. Prints what it found as JSON.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';

const [mount, seconds, unchanged = mount] = process.argv.slice(2);
const found = { loops: 0, revisions: 0, errors: [] as string[] };
const end = Date.now() + Number(seconds) * 1000;
let last = 0;
let inode: number | undefined;
let sum: string | undefined;
let held: { descriptor: number; text: string } | undefined;
const seen = new Set<number>();

function check(what: string, ok: boolean, detail: unknown): void {
  if (!ok && found.errors.length < 20) found.errors.push(`${what}: ${detail}`);
}

/** The one number that all lines are; NaN for a mix. */
function onlyNumber(text: string): number {
  const numbers = new Set(text.split('\n').slice(0, -1));
  return numbers.size === 1 ? Number([...numbers][0]) : Number.NaN;
}

function wholeFrom(descriptor: number): string {
  const buffer = Buffer.alloc(1 << 20);
  return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
}

function look(): void {
  const number = onlyNumber(readFileSync(`${mount}/value`, 'latin1'));
  check('a file is of one revision', Number.isInteger(number), number);
  check('no file goes back', number >= last, `${number} after ${last}`);
  last = Math.max(last, number);
  seen.add(number);

  const names = readdirSync(`${mount}/numbers`).filter((name) => !name.startsWith('keep'));
  const kept = readdirSync(`${mount}/numbers`).filter((name) => name.startsWith('keep'));
  check('what stays is listed once', new Set(kept).size === 200 && kept.length === 200, kept.length);
  const listed = Math.max(...names.map((name) => Number.parseInt(name, 10)));
  check('lists do not go back', listed >= last, `${listed} after ${last}`);
  last = Math.max(last, listed);
  check('links lead to what is new', Number(readlinkSync(`${mount}/link`)) >= last - 1, last);

  const { ino } = statSync(`${unchanged}/same/deep/file`);
  inode ??= ino;
  check('what is unchanged keeps its inode', ino === inode, ino);
  const now = createHash('sha1')
    .update(readFileSync(`${unchanged}/same/deep/file`))
    .digest('hex');
  sum ??= now;
  check('what is unchanged keeps its content', now === sum, now);

  if (held && found.loops % 40 === 0) {
    check(
      'an open file stays what it was',
      wholeFrom(held.descriptor) === held.text,
      onlyNumber(wholeFrom(held.descriptor)),
    );
    closeSync(held.descriptor);
    held = undefined;
  }
  if (!held) {
    const descriptor = openSync(`${mount}/value`, 'r');
    held = { descriptor, text: wholeFrom(descriptor) };
  }
}

while (Date.now() < end) {
  try {
    look();
  } catch (error) {
    check('no call fails', false, (error as Error).message);
  }
  found.loops++;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
found.revisions = seen.size;
process.stdout.write(`${JSON.stringify(found)}\n`);
