// Takes the bytes of one HTTP/1.x response as they come and tells head, body and end.
import { parseResponseHead, type ResponseHead } from './response-head.ts';

export interface ResponseReceiver {
  head(head: ResponseHead): void;
  /** Valid during the call only. */
  body(bytes: Buffer): void;
  end(): void;
}

/** Most of what is not the body, but for the sizes of chunks: heads, extensions of chunks and trailers together. Bytes. */
const MAX_HEAD = 65536;
/** Digits of a chunk's size. */
const MAX_DIGITS = 12;
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const EMPTY = Buffer.alloc(0);

/** The other side does not speak HTTP/1.x as it should. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

type State = 'head' | 'length' | 'close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

export class ResponseParser {
  #state: State = 'head';
  #receiver: ResponseReceiver;
  /** Start of a head or line whose end has not come yet. */
  #held: Buffer = EMPTY;
  /** Bytes of the body or chunk still to come. */
  #left = 0;
  /** What is left of MAX_HEAD: interim answers and extensions could go on for ever. */
  #room = MAX_HEAD;

  constructor(receiver: ResponseReceiver) {
    this.#receiver = receiver;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Bytes of a response have been seen. */
  get started(): boolean {
    return this.#state !== 'head' || this.#held.length > 0;
  }

  /** Takes bytes; returns how many belonged to this response. Throws ProtocolError when it is malformed, and what the receiver throws. */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      switch (this.#state) {
        case 'head':
          at = this.#takeHead(bytes, at);
          break;
        case 'length':
        case 'chunk': {
          const count = Math.min(this.#left, bytes.length - at);
          this.#left -= count;
          this.#receiver.body(bytes.subarray(at, at + count));
          at += count;
          if (this.#left === 0) {
            if (this.#state === 'length') this.#finish();
            else this.#state = 'chunk-end';
          }
          break;
        }
        case 'close':
          this.#receiver.body(bytes.subarray(at));
          at = bytes.length;
          break;
        default:
          at = this.#takeLine(bytes, at);
      }
    }
    return at;
  }

  /** The other side closed. False: in the middle of the response. */
  close(): boolean {
    if (this.#state === 'close') this.#finish();
    return this.#state === 'done';
  }

  #takeHead(bytes: Buffer, at: number): number {
    const { text, next } = this.#upTo(HEAD_END, bytes, at, this.#room);
    if (text === undefined) return next;
    this.#take(text.length);
    const head = parseResponseHead(text);
    if (!head) throw new ProtocolError('malformed HTTP response head');
    if (head.status < 200) {
      if (head.status === 101) throw new ProtocolError('unexpected HTTP status 101');
      return next;
    }
    this.#state = head.framing.kind === 'chunked' ? 'chunk-size' : head.framing.kind;
    this.#receiver.head(head);
    if (head.framing.kind === 'length') {
      this.#left = head.framing.length;
      if (this.#left === 0) this.#finish();
    }
    return next;
  }

  #takeLine(bytes: Buffer, at: number): number {
    const { text, next } = this.#upTo(LINE_END, bytes, at, Math.max(this.#room, MAX_DIGITS));
    if (text === undefined) return next;
    if (this.#state === 'chunk-end') {
      if (text !== '') throw new ProtocolError('malformed HTTP chunk');
      this.#state = 'chunk-size';
    } else if (this.#state === 'trailer') {
      this.#take(text.length);
      if (text === '') this.#finish();
    } else {
      const match = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;|$)/.exec(text);
      if (!match) throw new ProtocolError('malformed HTTP chunk size');
      this.#take(text.length - match[1].length);
      this.#left = Number.parseInt(match[1], 16);
      this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    }
    return next;
  }

  /** Text before `end`, or undefined when that has not come yet and all bytes are held. */
  #upTo(end: Buffer, bytes: Buffer, at: number, limit: number): { text: string | undefined; next: number } {
    const heldBefore = this.#held.length;
    const all = heldBefore === 0 ? bytes.subarray(at) : Buffer.concat([this.#held, bytes.subarray(at)]);
    const found = all.indexOf(end);
    if (found > limit || (found < 0 && all.length > limit)) throw new ProtocolError('HTTP response head too long');
    if (found < 0) {
      this.#held = heldBefore === 0 ? Buffer.from(all) : all;
      return { text: undefined, next: bytes.length };
    }
    this.#held = EMPTY;
    return { text: all.toString('latin1', 0, found), next: at + found + end.length - heldBefore };
  }

  #take(bytes: number): void {
    this.#room -= bytes;
    if (this.#room < 0) throw new ProtocolError('HTTP response head too long');
  }

  #finish(): void {
    this.#state = 'done';
    this.#receiver.end();
  }
}
