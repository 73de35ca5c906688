import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { JobJournal } from '../../src/launcher/job-journal.ts';
import { FIRST_LINE_BYTES, readContent } from '../../src/launcher/journal-content.ts';

/** The file as the server's parent makes it, and the descriptor that this keeps. */
function made(t: ExecutionContext): { path: string; kept: number } {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  const path = join(directory, 'journal');
  writeFileSync(path, `serving${' '.repeat(14)}\n`);
  const kept = openSync(path, 'a');
  t.teardown(() => {
    closeSync(kept);
    rmSync(directory, { recursive: true });
  });
  return { path, kept };
}

function adopted({ kept }: { kept: number }): JobJournal {
  const journal = new JobJournal();
  journal.adopt(kept);
  return journal;
}

const records = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.string({ unit: 'binary' })), { maxLength: 30 });

test('the next server finds all records, by owner and in order, whatever is in them', (t) => {
  fc.assert(
    fc.property(records, fc.nat(30), (list, early) => {
      const file = made(t);
      const first = new JobJournal();
      for (const [owner, record] of list.slice(0, early)) first.append(owner, record);
      first.create(file.path);
      for (const [owner, record] of list.slice(early)) first.append(owner, record);
      first.serving();
      const second = adopted(file);
      for (const wanted of ['a', 'b', 'c']) {
        const expected = list.filter(([owner]) => owner === wanted).map(([, record]) => record);
        t.deepEqual(second.records(wanted), expected);
      }
    }),
    { numRuns: 30 },
  );
});

test('the third server finds the records of both before it', (t) => {
  const file = made(t);
  const first = new JobJournal();
  first.create(file.path);
  first.append('a', '1');
  adopted(file).append('a', '2');
  t.deepEqual(adopted(file).records('a'), ['1', '2']);
});

test('a record that was cut off counts as not there, and the next one is whole', (t) => {
  const file = made(t);
  const first = new JobJournal();
  first.create(file.path);
  first.append('a', 'äöü');
  writeSync(file.kept, '["a","cut');
  const second = adopted(file);
  t.deepEqual(second.records('a'), ['äöü']);
  second.append('a', 'next');
  t.deepEqual(adopted(file).records('a'), ['äöü', 'next']);
});

test('the file loses its name as soon as it is open, or when the next server finds it', (t) => {
  const file = made(t);
  new JobJournal().create(file.path);
  t.false(existsSync(file.path));
  const other = made(t);
  adopted(other).loseName(other.path);
  t.false(existsSync(other.path));
});

test('the first line tells when the server began to serve, in hundredths of a second of /proc/uptime', (t) => {
  const file = made(t);
  const journal = new JobJournal();
  journal.create(file.path);
  journal.append('a', 'record');
  journal.serving();
  const [line, rest] = readFileSync(`/proc/self/fd/${file.kept}`, 'utf8').split('\n');
  const since = uptime() * 100 - Number(/^serving (\d+) +$/.exec(line)?.[1]);
  t.true(since >= 0 && since < 500, line);
  t.is(rest, '["a","record"]');
});

/** Records of two owners in a file that is long enough to be made short. */
function grown(t: ExecutionContext) {
  const file = made(t);
  const journal = new JobJournal();
  journal.create(file.path);
  for (let i = 0; i < 400; i++) {
    journal.append('a', `a${i} ${'ä'.repeat(600)}`);
    journal.append('b', `b${i}`);
  }
  return { file, journal, content: () => readFileSync(`/proc/self/fd/${file.kept}`) };
}

const lastTwo = (records: readonly string[]) => records.slice(-2);

test('a journal that has grown is made short; other owners keep their records, and it goes on', (t) => {
  const { file, journal, content } = grown(t);
  const [a, b] = [adopted(file).records('a'), adopted(file).records('b')];
  journal.shorten('a', lastTwo);
  t.true(content().length < 20_000);
  journal.append('a', 'next');
  journal.serving();
  const next = adopted(file);
  t.deepEqual(next.records('a'), [...a.slice(-2), 'next']);
  t.deepEqual(next.records('b'), b);
  t.is(a.length, 400);
});

test('one that has not grown, or cannot be made short now, stays as it is', (t) => {
  const { file, journal, content } = grown(t);
  const before = content();
  journal.shorten('a', () => undefined);
  t.deepEqual(content(), before);
  journal.shorten('a', (records) => records);
  t.deepEqual(adopted(file).records('a').length, 400);
  const small = made(t);
  const other = new JobJournal();
  other.create(small.path);
  other.append('a', '1');
  other.shorten('a', () => t.fail() as never);
  t.deepEqual(adopted(small).records('a'), ['1']);
});

test('killed at any byte while it is made short, it says all that it said before, or the short form', (t) => {
  const { file, journal, content } = grown(t);
  const before = content();
  const all = adopted(file).records('a');
  journal.shorten('a', lastTwo);
  const short = content().subarray(FIRST_LINE_BYTES);
  const overwritten = (count: number) => {
    const bytes = Buffer.concat([before, short]);
    short.copy(bytes, FIRST_LINE_BYTES, 0, count);
    return bytes;
  };
  fc.assert(
    fc.property(fc.nat(short.length), (count) => {
      const of = (bytes: Buffer) =>
        readContent(bytes).records.flatMap(([owner, record]) => (owner === 'a' ? [record] : []));
      const appended = of(Buffer.concat([before, short.subarray(0, count)]));
      t.deepEqual(appended, count < short.length ? [...all] : all.slice(-2));
      t.deepEqual(of(overwritten(count)), all.slice(-2));
    }),
    { numRuns: 200 },
  );
  // What was begun and not finished is cut off.
  const { end } = readContent(Buffer.concat([before, short.subarray(0, 100)]));
  t.is(end, before.length);
});
