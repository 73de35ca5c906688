// A connection without a kernel: bytes in, bytes out. No behaviour of its own.

import { Connection, type ConnectionOptions } from '../../src/fuse/connection.ts';
import type { Operations } from '../../src/fuse/operations.ts';
import { MemoryFileSystem } from './memory-file-system.ts';
import { type Header, initIn, type ReplyParts, replyParts, requestBytes } from './wire.ts';

const INIT = 26;
const ALL_FLAGS = 0x73fffffb;

export class ByteSink {
  readonly connection: Connection;
  readonly replies: ReplyParts[] = [];
  readonly accidents: Array<{ request: string; reason: unknown }> = [];
  readonly trace: string[] = [];

  constructor(operations: Partial<Operations> = new MemoryFileSystem(), options: Partial<ConnectionOptions> = {}) {
    this.connection = new Connection(
      {
        operations: operations as Operations,
        answerOpen: false,
        readOnlyMount: true,
        listXattr: true,
        entryTimeout: 36_000,
        attributeTimeout: 36_000,
        debug: (line) => this.trace.push(line),
        onError: (request, reason) => this.accidents.push({ request, reason }),
        ...options,
      },
      { write: (bytes, length) => void this.replies.push(replyParts(Buffer.from(bytes.subarray(0, length)))) },
    );
  }

  /** The replies that this request brings at once. */
  raw(bytes: Uint8Array): ReplyParts[] {
    const before = this.replies.length;
    this.connection.request.bytes.set(bytes);
    this.connection.receive();
    return this.replies.slice(before);
  }

  ask(header: Header, ...body: Uint8Array[]): ReplyParts {
    const [reply, ...others] = this.raw(requestBytes(header, ...body));
    if (reply === undefined || others.length > 0)
      throw new Error(`${others.length + (reply ? 1 : 0)} replies to opcode ${header.opcode}`);
    return reply;
  }

  init(minor = 45, flags = ALL_FLAGS, flags2: number | undefined = 0x5fd): ReplyParts {
    return this.ask({ opcode: INIT, node: 0n }, initIn(minor, flags, flags2));
  }
}
