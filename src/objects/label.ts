/**
 * A label (Latin-1, one character a byte) for people: as UTF-8, which most names in repositories are, and without line
 * ends and other control characters, which would break a line of a log.
 */
export function readableLabel(label: string): string {
  return Buffer.from(label, 'latin1')
    .toString('utf8')
    .replace(/\p{Cc}/gu, '?');
}
