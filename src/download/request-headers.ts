// The header lines that every request carries (client.md §7.1).
import type { TransferRequest } from '../objects/transfer.ts';
import type { DownloadSettings } from './settings.ts';
import { escapeUrl } from './url.ts';

type HeaderSettings = Pick<DownloadSettings, 'userAgent' | 'sendInfoHeader' | 'tracing' | 'requester'>;

/** Each with its line end. Host and connection are not among them. */
export function requestHeaders(request: TransferRequest, noCache: boolean, settings: HeaderSettings): string {
  let headers = `User-Agent: ${settings.userAgent}\r\n`;
  if (settings.sendInfoHeader) headers += `cvmfs-info: ${escapeUrl(request.label, 'latin1')}\r\n`;
  if (settings.tracing !== undefined) headers += tracingHeaders(settings);
  if (noCache) headers += 'Pragma: no-cache\r\nCache-Control: no-cache\r\n';
  if (request.range) {
    const { offset, length } = request.range;
    headers += `Range: bytes=${offset}-${offset + length - 1}\r\n`;
  }
  return headers;
}

/** Nobody's: what the reference sends when it does not know who asks. */
const UNKNOWN = { pid: -1, uid: 0xffffffff, gid: 0xffffffff };

function tracingHeaders({ tracing = '', requester }: HeaderSettings): string {
  const { pid, uid, gid } = requester() ?? UNKNOWN;
  return `X-CVMFS-PID: ${pid}\r\nX-CVMFS-GID: ${gid}\r\nX-CVMFS-UID: ${uid}\r\n${tracing}`;
}

const MAX_TRACING_HEADERS = 1000;

/** CVMFS_HTTP_TRACING_HEADERS, `key:value|key:value`, as header lines; what is malformed is left out. */
export function parseTracingHeaders(text: string, warn: (line: string) => void): string {
  if (text === '') return '';
  if (text.length > MAX_TRACING_HEADERS) {
    warn(`CVMFS_HTTP_TRACING_HEADERS has more than ${MAX_TRACING_HEADERS} characters: left out`);
    return '';
  }
  let headers = '';
  for (const token of text.split('|')) {
    const match = /^\s*([0-9A-Za-z]+)\s*:\s*([^:\r\n]*?)\s*$/.exec(token);
    if (match) headers += `X-CVMFS-${match[1]}: ${match[2]}\r\n`;
    else warn(`CVMFS_HTTP_TRACING_HEADERS: '${token}' is not key:value, left out`);
  }
  return headers;
}

/** `cvmfs Fuse <version>`, and CERNVM_UUID. */
export function userAgent(environment: NodeJS.ProcessEnv): string {
  const id = (environment.CERNVM_UUID ?? '').replace(/[^0-9A-Za-z-]/g, '');
  return `cvmfs Fuse 2.12.0${id === '' ? '' : ` ${id}`}`;
}
