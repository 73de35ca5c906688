import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Accounts } from '../../../src/cache/quota/accounts.ts';
import { LedgerReader } from '../../../src/cache/quota/ledger.ts';
import { encodeLine, parseLine } from '../../../src/cache/quota/ledger-line.ts';
import { rewriteLedger } from '../../../src/cache/quota/ledger-rewrite.ts';
import { temporaryDirectory } from '../../support/object-fixture.ts';

const DISK_BYTES = 256 * 1024;

test('a ledger that has no room to be rewritten stays as it is', async (t) => {
  const disk = temporaryDirectory(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    t.log('skipped: mounting a small file system needs root');
    return t.pass();
  }
  t.teardown(() => execFileSync('umount', ['-l', disk]));
  const path = join(disk, 'ledger');
  const accounts = new Accounts();
  let text = '';
  for (let i = 0; i < 1500; i++) {
    const hash = i.toString(16).padStart(40, '0');
    text += encodeLine({ type: 'stored', hash, size: i, checksum: i, kind: 'file', label: '/file' });
  }
  for (const line of text.split('\n')) {
    const parsed = parseLine(line);
    if (parsed) accounts.apply(parsed);
  }
  fs.writeFileSync(path, text);
  fs.writeFileSync(join(disk, 'filler'), Buffer.alloc(DISK_BYTES - text.length - 40_000));
  const reader = new LedgerReader(path);
  t.teardown(() => reader.close());
  while (!reader.isAtEnd) reader.read();
  await t.throwsAsync(rewriteLedger(path, reader, accounts), { code: 'ENOSPC' });
  t.is(fs.readFileSync(path, 'latin1'), text);
  t.deepEqual(fs.readdirSync(disk).sort(), ['filler', 'ledger']);
  fs.unlinkSync(join(disk, 'filler'));
  t.like(await rewriteLedger(path, reader, accounts), { lines: 1500 });
  t.is(fs.readFileSync(path, 'latin1'), text);
});
