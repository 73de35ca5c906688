// A small name server for tests: A and AAAA records, over UDP.
import { createSocket, type Socket } from 'node:dgram';

export interface Records {
  readonly v4?: readonly string[];
  readonly v6?: readonly string[];
  /** Seconds; default 60. */
  readonly ttl?: number;
  /** Never answers: for both families, or for IPv6 only. */
  readonly hang?: true | 'v6';
}

const A = 1;
const AAAA = 28;

export class DnsServer {
  /** Full names; all others do not exist. */
  readonly records = new Map<string, Records>();
  /** `name type` of every question. */
  readonly questions: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message, { port, address }) => {
      const answer = this.#answer(message);
      if (answer) socket.send(answer, port, address);
    });
  }

  static async start(
    records: Readonly<Record<string, Records>> = {},
    port = 0,
    address = '127.0.0.1',
  ): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, address, resolve));
    const server = new DnsServer(socket);
    for (const [name, value] of Object.entries(records)) server.records.set(name, value);
    return server;
  }

  /** For CVMFS_DNS_SERVER. */
  get address(): string {
    const { address, port } = this.#socket.address();
    return `${address}:${port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer | undefined {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at]; length > 0; length = query[at]) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    const name = labels.join('.').toLowerCase();
    this.questions.push(`${name} ${type === A ? 'A' : type === AAAA ? 'AAAA' : type}`);
    const entry = this.records.get(name);
    if (entry?.hang === true || (entry?.hang === 'v6' && type === AAAA)) return undefined;
    const addresses = (type === A ? entry?.v4 : type === AAAA ? entry?.v6 : undefined) ?? [];
    const header = Buffer.alloc(12);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    // An answer, with recursion; 3: there is no such name.
    header.writeUInt16BE(entry ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    return Buffer.concat([header, question, ...addresses.map((address) => record(type, entry?.ttl ?? 60, address))]);
  }
}

function record(type: number, ttl: number, address: string): Buffer {
  const data = type === A ? Buffer.from(address.split('.').map(Number)) : v6Bytes(address);
  const head = Buffer.alloc(12);
  // The name is that of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function v6Bytes(address: string): Buffer {
  const [head, tail] = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const words = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;
  return Buffer.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]));
}
