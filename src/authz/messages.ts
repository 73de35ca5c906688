// What client and helper tell each other about who may use a repository (client.md §10.3). Frames both ways:
//   version u32 = 1 | length u32 | JSON of that length        (in the machine's byte order)
// and the JSON is {"cvmfs_authz_v1": {"msgid": N, "revision": 0, …}}.
import { endianness } from 'node:os';

const VERSION = 1;
const HEADER_BYTES = 8;
const MAX_BYTES = 1024 * 1024;
const littleEndian = endianness() === 'LE';

const HANDSHAKE = 0;
const READY = 1;
const VERIFY = 2;
const PERMIT = 3;
const QUIT = 4;

/** Seconds that a decision is good for when the helper does not say. */
const DEFAULT_TTL = 120;

export interface Handshake {
  readonly fqrn: string;
  readonly syslog_facility: number;
  readonly syslog_level: number;
  readonly debug_log?: string;
}

export interface Question {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly membership: string;
}

export interface Permit {
  readonly granted: boolean;
  /** Why not. */
  readonly reason: string;
  /** Seconds. */
  readonly ttl: number;
  /** PEM. */
  readonly certificate?: string;
  readonly bearerToken?: string;
}

export type Answer = { readonly kind: 'ready' } | { readonly kind: 'permit'; readonly permit: Permit };

const REASONS = ['granted', 'no credential found', 'the credential is invalid', 'not a member', 'no helper'];

export const encodeHandshake = (handshake: Handshake): Buffer => encode(HANDSHAKE, handshake);

export const encodeQuit = (): Buffer => encode(QUIT, {});

export function encodeQuestion({ uid, gid, pid, membership }: Question): Buffer {
  return encode(VERIFY, { uid, gid, pid, membership: Buffer.from(membership, 'latin1').toString('base64') });
}

function encode(msgid: number, more: object): Buffer {
  const json = Buffer.from(JSON.stringify({ cvmfs_authz_v1: { msgid, revision: 0, ...more } }));
  const header = Buffer.alloc(HEADER_BYTES);
  const write = (value: number, at: number) =>
    littleEndian ? header.writeUInt32LE(value, at) : header.writeUInt32BE(value, at);
  write(VERSION, 0);
  write(json.length, 4);
  return Buffer.concat([header, json]);
}

/** Takes bytes as they come, gives texts as they are complete. */
export class Frames {
  #held: Buffer = Buffer.alloc(0);

  /** Throws Error when the other side does not speak the protocol. */
  push(bytes: Buffer): string[] {
    this.#held = Buffer.concat([this.#held, bytes]);
    const texts: string[] = [];
    while (this.#held.length >= HEADER_BYTES) {
      const read = (at: number) => (littleEndian ? this.#held.readUInt32LE(at) : this.#held.readUInt32BE(at));
      const length = read(4);
      if (read(0) !== VERSION) throw new Error(`speaks version ${read(0)} of the protocol`);
      if (length > MAX_BYTES) throw new Error(`sends ${length} bytes at once`);
      if (this.#held.length < HEADER_BYTES + length) break;
      texts.push(this.#held.toString('utf8', HEADER_BYTES, HEADER_BYTES + length));
      this.#held = this.#held.subarray(HEADER_BYTES + length);
    }
    return texts;
  }
}

/** Throws Error for what is no answer. */
export function parseAnswer(text: string): Answer {
  const body = (JSON.parse(text) as { cvmfs_authz_v1?: Record<string, unknown> } | null)?.cvmfs_authz_v1;
  if (body?.msgid === READY) return { kind: 'ready' };
  if (body?.msgid !== PERMIT || !Number.isInteger(body.status)) throw new Error('sends what is no answer');
  const { status, ttl, x509_proxy: proxy, bearer_token: token } = body;
  const permit: Permit = {
    granted: status === 0,
    reason: REASONS[status as number] ?? 'unknown',
    ttl: typeof ttl === 'number' && ttl >= 0 ? ttl : DEFAULT_TTL,
    ...(typeof proxy === 'string' && proxy !== ''
      ? { certificate: Buffer.from(proxy, 'base64').toString('latin1') }
      : {}),
    // It becomes a header line.
    ...(typeof token === 'string' && /^[!-~]+$/.test(token) ? { bearerToken: token } : {}),
  };
  return { kind: 'permit', permit };
}
