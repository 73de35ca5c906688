// Names are bytes: how they are shown to people and programs. Latin-1 strings, one character a byte.

/** As it is, if it is text on one line; else in double quotes, with backslashes as in C. */
export function quoted(path: string): string {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  if (isUtf8(path) && !/[\p{Cc}"\\]/u.test(text)) return text;
  const escaped = path.replace(/[^ !#-[\]-~]/g, (byte) =>
    byte === '"' || byte === '\\' ? `\\${byte}` : `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

export function isUtf8(path: string): boolean {
  const bytes = Buffer.from(path, 'latin1');
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}
