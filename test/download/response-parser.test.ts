import test from 'ava';
import fc from 'fast-check';
import type { ResponseHead } from '../../src/download/response-head.ts';
import { ProtocolError, ResponseParser } from '../../src/download/response-parser.ts';

interface Parsed {
  head?: ResponseHead;
  body: string;
  ended: number;
  used: number;
}

/** Parses the pieces; `closed`: the connection ends after them. */
function parse(pieces: readonly Buffer[], closed = false): Parsed & { complete: boolean } {
  const parsed: Parsed = { body: '', ended: 0, used: 0 };
  const parser = new ResponseParser({
    head: (head) => {
      parsed.head = head;
    },
    body: (bytes) => {
      parsed.body += bytes.toString('latin1');
    },
    end: () => {
      parsed.ended++;
    },
  });
  for (const piece of pieces) if (!parser.done) parsed.used += parser.push(piece);
  const complete = closed ? parser.close() : parser.done;
  return { ...parsed, complete };
}

const whole = (text: string, closed = false) => parse([Buffer.from(text, 'latin1')], closed);

const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n0A\r\n0123456789\r\n0\r\nT: v\r\n\r\n';
const FIXED = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello';

test('a body of known length ends by itself and leaves what follows', (t) => {
  const parsed = whole(`${FIXED}HTTP/1.1`);
  t.like(parsed, { body: 'hello', ended: 1, used: FIXED.length, complete: true });
  t.is(parsed.head?.headers.get('x-a'), '1, 2');
  t.true(parsed.head?.keepAlive);
});

test('a chunked body ends by itself', (t) => {
  t.like(whole(CHUNKED), { body: 'abcd0123456789', ended: 1, complete: true });
});

test('a body without length ends with the connection, which is not used again', (t) => {
  const parsed = whole('HTTP/1.1 200 OK\r\n\r\nabc', true);
  t.like(parsed, { body: 'abc', ended: 1, complete: true });
  t.false(parsed.head?.keepAlive);
});

test('a connection that closes early leaves the response incomplete', (t) => {
  for (const text of [FIXED, CHUNKED]) {
    for (let length = 0; length < text.length; length++) {
      t.like(whole(text.slice(0, length), true), { complete: false, ended: 0 }, `after ${length} bytes`);
    }
  }
});

test('interim responses are skipped', (t) => {
  t.like(whole(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${FIXED}`), {
    body: 'hello',
    ended: 1,
  });
});

test('responses without a body end at once', (t) => {
  t.like(whole('HTTP/1.1 204 No Content\r\n\r\n'), { body: '', ended: 1 });
  t.like(whole('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), { body: '', ended: 1 });
  t.like(whole('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), { body: '', ended: 1 });
});

test('the connection is kept as the version and the header say', (t) => {
  const kept = (version: string, header: string) =>
    whole(`HTTP/${version} 200 OK\r\nContent-Length: 0\r\n${header}\r\n`).head?.keepAlive;
  t.true(kept('1.1', ''));
  t.false(kept('1.1', 'Connection: Close\r\n'));
  t.false(kept('1.0', ''));
  t.true(kept('1.0', 'Connection: keep-alive\r\n'));
});

test('how a response is cut into pieces makes no difference', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(FIXED, CHUNKED), fc.array(fc.nat(120), { maxLength: 20 }), (text, cuts) => {
      const bytes = Buffer.from(text, 'latin1');
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      t.deepEqual(parse(pieces), whole(text));
    }),
  );
});

for (const [what, text] of Object.entries({
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
  'HTTP/2': 'HTTP/2 200 OK\r\n\r\n',
  'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
  'a header without a colon': 'HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n',
  'a folded header': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n',
  'a blank before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
  'a negative length': 'HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n',
  'a length in hex': 'HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n',
  'length and chunks at once': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'an unknown encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
  'a chunk size that is none': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n',
  'a chunk longer than announced': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
  'an endless head': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`,
  'interim responses without end': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(4000),
  'extensions of chunks without end': `${CHUNKED.slice(0, CHUNKED.indexOf('4;'))}${`1;${'x'.repeat(70)}\r\na\r\n`.repeat(1000)}`,
  'trailers without end': `${CHUNKED.slice(0, -2)}${'T: v\r\n'.repeat(20_000)}`,
  'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
})) {
  test(`refused: ${what}`, (t) => {
    t.throws(() => whole(text), { instanceOf: ProtocolError });
  });
}

test('no bytes make it do anything but parse or refuse', (t) => {
  const soup = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      '\r\n',
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      '3\r\n',
      'abc',
      '0\r\n',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(soup, { maxLength: 12 }), (parts) => {
      try {
        t.true(whole(parts.join(''), true).ended <= 1);
      } catch (error) {
        t.true(error instanceof ProtocolError);
      }
    }),
  );
});
