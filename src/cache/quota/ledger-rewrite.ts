// A shorter ledger of the same sum: one line for each object, in the order of their last use.
import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import type { Accounts } from './accounts.ts';
import { type LedgerReader, LedgerWriter } from './ledger.ts';
import { encodeLine } from './ledger-line.ts';

const BATCH_BYTES = 256 * 1024;
/** What an object is called that somebody else stored; the reference client uses the same words. */
export const UNKNOWN_LABEL = 'unknown (automatic rebuild)';

/**
 * Replaces the ledger. What others write to it meanwhile follows after the `bytes` of what `accounts` say: it has not been
 * read by `reader`, which must not read until this is over. Rejects with the error of the system call; the old one stays then.
 */
export async function rewriteLedger(
  path: string,
  reader: LedgerReader,
  accounts: Accounts,
): Promise<{ lines: number; bytes: number }> {
  const { offset } = reader;
  const known = storedLines(reader.tail(0).subarray(0, offset));
  const lines: string[] = [];
  for (const hash of accounts.keys()) {
    const size = accounts.sizeOf(hash) ?? 0;
    const unknown = { type: 'stored', hash, size, checksum: undefined, kind: 'file', label: UNKNOWN_LABEL } as const;
    lines.push(known.get(hash) ?? encodeLine(unknown));
  }
  for (const hash of accounts.pinnedKeys()) lines.push(encodeLine({ type: 'pinned', hash }));
  for (const [hash, size] of accounts.transfers()) lines.push(encodeLine({ type: 'transfer', hash, size }));
  const temporary = `${path}.new`;
  let bytes: number;
  let meanwhile: Buffer;
  try {
    bytes = await writeLines(temporary, lines);
    meanwhile = reader.tail(offset);
    fs.appendFileSync(temporary, meanwhile);
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  // Nobody writes to the old one any more who will not see that it has lost its name.
  const late = reader.tail(offset + meanwhile.length);
  if (late.length > 0) {
    const writer = new LedgerWriter(path);
    writer.append(late.toString('latin1'));
    writer.close();
  }
  return { lines: lines.length, bytes };
}

/** The last line about each object that says how it was stored, with its newline. */
function storedLines(ledger: Buffer): Map<string, string> {
  const known = new Map<string, string>();
  for (const line of ledger.toString('latin1').split('\n')) {
    if (line.startsWith('+ ')) known.set(line.slice(2, line.indexOf(' ', 2)), `${line}\n`);
  }
  return known;
}

async function writeLines(path: string, lines: readonly string[]): Promise<number> {
  const file = await open(path, 'w', 0o600);
  let bytes = 0;
  try {
    let batch = '';
    for (const line of lines) {
      batch += line;
      if (batch.length < BATCH_BYTES) continue;
      bytes += batch.length;
      await file.appendFile(batch, 'latin1');
      batch = '';
    }
    bytes += batch.length;
    await file.appendFile(batch, 'latin1');
  } finally {
    await file.close();
  }
  return bytes;
}
