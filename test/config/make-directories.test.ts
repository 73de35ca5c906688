import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeDirectories } from '../../src/config/make-directories.ts';

test('a directory is made with all that is missing above it', (t) => {
  const base = mkdtempSync(join(tmpdir(), 'directories-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  makeDirectories(join(base, 'a/b/c'), 0o700);
  t.is(statSync(join(base, 'a')).mode & 0o7777, 0o700);
  t.is(statSync(join(base, 'a/b/c')).mode & 0o7777, 0o700);
  makeDirectories(join(base, 'a/b/c'), 0o755);
  t.is(statSync(join(base, 'a/b/c')).mode & 0o7777, 0o700, 'what exists is left alone');
  writeFileSync(join(base, 'file'), '');
  t.throws(() => makeDirectories(join(base, 'file'), 0o700), { code: 'EEXIST' });
  t.throws(() => makeDirectories(join(base, 'file/below'), 0o700), { code: 'EEXIST' });
});

test('where the system makes no directories it fails, and does not try for ever', (t) => {
  t.throws(() => makeDirectories('/proc/nowhere/below', 0o700), { code: 'ENOENT' });
});
