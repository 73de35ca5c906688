// What is in a job's journal (job-journal.ts), byte for byte:
//
//   serving N            always 22 bytes: when the present server began to serve, in hundredths of a second of /proc/uptime
//   ["owner","record"]   JSON
//   reset N              the N bytes that follow take the place of all before; void while they are not all there
//
// A journal that has grown is made short in place: the short form is appended, written once more to the beginning, and the
// rest cut off. Killed at any moment in between, there is always one whole form, and the last one counts.

export const FIRST_LINE_BYTES = 22;

export interface JournalContent {
  readonly records: readonly (readonly [owner: string, record: string])[];
  /** Where they end: what is behind was cut off. Bytes. */
  readonly end: number;
}

export function readContent(bytes: Buffer): JournalContent {
  const text = bytes.toString('latin1');
  let begin = FIRST_LINE_BYTES;
  let end = text.lastIndexOf('\n') + 1;
  for (let at = text.lastIndexOf('\nreset '); at >= begin - 1; at = text.lastIndexOf('\nreset ', at - 1)) {
    const [line, length] = /^\nreset (\d+)\n/.exec(text.slice(at, at + 30)) ?? ['', ''];
    const start = at + line.length;
    if (line !== '' && start + Number(length) <= text.length) {
      begin = start;
      break;
    }
    end = at + 1;
  }
  const lines = text.slice(begin, end).split('\n');
  const records = lines.flatMap((line): [string, string][] =>
    line === '' ? [] : [JSON.parse(Buffer.from(line, 'latin1').toString())],
  );
  return { records, end };
}

export function recordLine(owner: string, record: string): string {
  return `${JSON.stringify([owner, record])}\n`;
}

/** The line `reset` and all that belongs to it. */
export function shortForm(records: JournalContent['records']): Buffer {
  const lines = Buffer.from(records.map(([owner, record]) => recordLine(owner, record)).join(''));
  return Buffer.concat([Buffer.from(`reset ${lines.length}\n`), lines]);
}
