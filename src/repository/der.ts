// As much of DER, the encoding of certificates, as a version 1 certificate needs: tag byte, length, content.

function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length, ...digits), content]);
}

export function sequence(...elements: Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(elements));
}

/** Takes the shortest two's complement form, big-endian. */
export function integer(value: Uint8Array): Buffer {
  return element(0x02, value);
}

export function nullValue(): Buffer {
  return element(0x05, Buffer.alloc(0));
}

/** Takes whole bytes. */
export function bitString(value: Uint8Array): Buffer {
  return element(0x03, Buffer.concat([Buffer.of(0), value]));
}

/** Takes dotted decimal numbers. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 0x7f));
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** Whole seconds; years 1950 to 2049, later ones as GeneralizedTime. */
export function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/\D/g, '').slice(0, 14);
  if (date.getUTCFullYear() >= 2050) return element(0x18, Buffer.from(`${digits}Z`));
  return element(0x17, Buffer.from(`${digits.slice(2)}Z`));
}

/** A distinguished name with one attribute. */
export function name(attribute: string, value: string): Buffer {
  const pair = sequence(objectId(attribute), element(0x0c, Buffer.from(value)));
  return sequence(element(0x31, pair));
}
