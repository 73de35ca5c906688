// URLs as the client writes and reads them (client.md §7.2, §7.5).
import { DownloadError } from './errors.ts';

const KEPT = /^[0-9A-Za-z/:.@+\-_~[\],]*$/;

/**
 * Escapes byte by byte; an existing `%` is escaped again (client.md §7.2). Upper-case hex.
 * Paths in a repository are Latin-1 strings, one character a byte; what people configure is text.
 */
export function escapeUrl(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  if (KEPT.test(text)) return text;
  let escaped = '';
  for (const byte of Buffer.from(text, encoding)) {
    const char = String.fromCharCode(byte);
    escaped += KEPT.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** An HTTP(S) server or proxy. */
export interface Endpoint {
  /** As given, for people; never holds credentials. */
  readonly name: string;
  readonly secure: boolean;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Where to connect to when the name has been resolved already. */
  readonly address?: string;
  /** Value of the Host header. */
  readonly authority: string;
  /** `Basic …` when the URL has credentials. */
  readonly credentials: string | undefined;
  /** Path with a leading slash or '', without a trailing slash, unescaped. */
  readonly path: string;
}

const HTTP_URL = /^(https?):\/\/(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:/@\s[\]]+)(?::([0-9]{1,5}))?(\/[^\r\n]*)?$/i;

/** Parses `http(s)://[user:password@]host[:port][/path]`. Throws DownloadError BAD_URL. */
export function parseHttpUrl(url: string, defaultPort?: number): Endpoint {
  const match = HTTP_URL.exec(url);
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  if (!match || port === 0 || (port !== undefined && port > 65535)) {
    throw new DownloadError('BAD_URL', `not a usable URL: '${url.replace(/\/\/[^@/]*@/, '//')}'`);
  }
  const secure = match[1].toLowerCase() === 'https';
  const standard = secure ? 443 : 80;
  const host = match[3].toLowerCase();
  const effective = port ?? defaultPort ?? standard;
  const authority = effective === standard ? host : `${host}:${effective}`;
  return {
    name: `${secure ? 'https' : 'http'}://${authority}${(match[5] ?? '').replace(/\/+$/, '')}`,
    secure,
    host: host.replace(/^\[|\]$/g, ''),
    port: effective,
    authority,
    credentials: match[2] === undefined ? undefined : basicCredentials(match[2]),
    path: (match[5] ?? '').replace(/\/+$/, ''),
  };
}

function basicCredentials(userInfo: string): string {
  let text = userInfo;
  try {
    text = decodeURIComponent(userInfo);
  } catch {
    // not escaped: taken as it stands
  }
  return `Basic ${Buffer.from(text.includes(':') ? text : `${text}:`, 'utf8').toString('base64')}`;
}
