// Status line and headers of an HTTP/1.x response. Strict: what is ambiguous is refused.

/** How the end of a body is told. */
export type Framing = { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' | 'close' };

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; repeated ones joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly framing: Framing;
  /** The connection may carry another request after the body. */
  readonly keepAlive: boolean;
}

const STATUS_LINE = /^HTTP\/1\.([0-9]) ([1-9][0-9]{2})(?: |$)/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Parses the head without its final empty line; undefined when it is not HTTP/1.x or contradicts itself. */
export function parseResponseHead(text: string): ResponseHead | undefined {
  const lines = text.split('\r\n');
  const first = STATUS_LINE.exec(lines[0]);
  if (!first) return undefined;
  const status = Number(first[2]);
  const headers = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i];
    const colon = line.indexOf(':');
    if (colon <= 0 || line.includes('\n')) return undefined;
    const name = line.slice(0, colon).toLowerCase();
    if (!NAME.test(name)) return undefined;
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const framing = bodyFraming(status, headers);
  if (!framing) return undefined;
  const connection = headers.get('connection')?.toLowerCase() ?? headers.get('proxy-connection')?.toLowerCase() ?? '';
  const persistent = first[1] === '0' ? connection.includes('keep-alive') : !connection.includes('close');
  return { status, headers, framing, keepAlive: persistent && framing.kind !== 'close' };
}

function bodyFraming(status: number, headers: ReadonlyMap<string, string>): Framing | undefined {
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', length: 0 };
  const encoding = headers.get('transfer-encoding')?.toLowerCase();
  const length = headers.get('content-length');
  if (encoding !== undefined) {
    // Both at once is how responses are smuggled.
    if (length !== undefined) return undefined;
    return encoding === 'chunked' ? { kind: 'chunked' } : undefined;
  }
  if (length === undefined) return { kind: 'close' };
  const values = new Set(length.split(', '));
  const [value] = values;
  if (values.size !== 1 || !/^[0-9]{1,15}$/.test(value)) return undefined;
  return { kind: 'length', length: Number(value) };
}
