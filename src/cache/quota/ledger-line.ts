// One line of the ledger (see ledger.ts). Text, so that it can be read by people, and so that a torn line spoils itself only:
//
//   + <hash> <size> <crc32> <kind> <label>   stored, or about to be; crc32 of the content in hex or `-`; kind f or c (catalog)
//   * <hash>                                 used
//   t <id> <size>                          room for a transfer under way; again now and then, as long as that lasts
//   - <hash or id>                           removed; that transfer is over
//   p <hash>, u <hash>                       pinned, no longer pinned
//   ! <bytes> <seconds>                      since then somebody wants no more than so many bytes to remain
//   = <seconds> <word>                       something happened: `scan <boot>`, `cleanup`
export type ObjectKind = 'file' | 'catalog';

export type LedgerLine =
  | {
      readonly type: 'stored';
      /** Hash string without letter. */
      readonly hash: string;
      /** Bytes of the file. */
      readonly size: number;
      /** CRC-32 of the content; undefined: not known. */
      readonly checksum: number | undefined;
      readonly kind: ObjectKind;
      /** Latin-1. */
      readonly label: string;
    }
  | {
      readonly type: 'transfer';
      /** 40 random hexadecimal digits, in the place of a hash. */
      readonly hash: string;
      /** Bytes. */
      readonly size: number;
    }
  | { readonly type: 'used' | 'removed' | 'pinned' | 'unpinned'; readonly hash: string }
  | { readonly type: 'wanted'; readonly bytes: number; readonly seconds: number }
  | { readonly type: 'event'; readonly seconds: number; readonly word: string };

const MAX_LABEL = 1024;
const MARKS = { '*': 'used', '-': 'removed', p: 'pinned', u: 'unpinned' } as const;
const SIGNS = { used: '*', removed: '-', pinned: 'p', unpinned: 'u' } as const;
const HASH = /^[0-9a-f]{40}(?:-rmd160|-shake128)?$/;
const STORED = /^([0-9a-f]{40}(?:-rmd160|-shake128)?) ([0-9]{1,15}) ([0-9a-f]{1,8}|-) ([fc]) (.*)$/;

/** With its newline. */
export function encodeLine(line: LedgerLine): string {
  switch (line.type) {
    case 'stored': {
      const checksum = line.checksum === undefined ? '-' : line.checksum.toString(16);
      return `+ ${line.hash} ${line.size} ${checksum} ${line.kind[0]} ${onOneLine(line.label)}\n`;
    }
    case 'transfer':
      return `t ${line.hash} ${line.size}\n`;
    case 'wanted':
      return `! ${line.bytes} ${line.seconds}\n`;
    case 'event':
      return `= ${line.seconds} ${line.word}\n`;
    default:
      return `${SIGNS[line.type]} ${line.hash}\n`;
  }
}

/** Without its newline; undefined for what is no such line. */
export function parseLine(text: string): LedgerLine | undefined {
  const rest = text.slice(2);
  if (text[1] !== ' ') return undefined;
  switch (text[0]) {
    case '+': {
      const match = STORED.exec(rest);
      if (!match) return undefined;
      const [, hash, size, checksum, kind, label] = match;
      return {
        type: 'stored',
        hash,
        size: Number(size),
        checksum: checksum === '-' ? undefined : Number.parseInt(checksum, 16),
        kind: kind === 'c' ? 'catalog' : 'file',
        label,
      };
    }
    case '*':
    case '-':
    case 'p':
    case 'u':
      return HASH.test(rest) ? { type: MARKS[text[0]], hash: rest } : undefined;
    case 't': {
      const [, hash, size] = /^([0-9a-f]{40}) ([0-9]{1,15})$/.exec(rest) ?? [];
      return hash === undefined ? undefined : { type: 'transfer', hash, size: Number(size) };
    }
    case '!': {
      const [, bytes, seconds] = /^([0-9]{1,15}) ([0-9]{1,12})$/.exec(rest) ?? [];
      return bytes === undefined ? undefined : { type: 'wanted', bytes: Number(bytes), seconds: Number(seconds) };
    }
    case '=': {
      const [, seconds, word] = /^([0-9]{1,12}) (.+)$/.exec(rest) ?? [];
      return seconds === undefined ? undefined : { type: 'event', seconds: Number(seconds), word };
    }
    default:
      return undefined;
  }
}

function onOneLine(label: string): string {
  return label.slice(0, MAX_LABEL).replace(/[\r\n]/g, '?');
}
