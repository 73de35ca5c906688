import test from 'ava';
import fc from 'fast-check';
import { encodeHandshake, encodeQuestion, Frames, parseAnswer } from '../../src/authz/messages.ts';

test('messages come out of the frames as they went in, however they are cut', (t) => {
  const question = fc.record({ uid: fc.nat(), gid: fc.nat(), pid: fc.nat(), membership: fc.string() });
  fc.assert(
    fc.property(fc.array(question), fc.integer({ min: 1, max: 50 }), (questions, part) => {
      const bytes = Buffer.concat(questions.map(encodeQuestion));
      const frames = new Frames();
      const texts: string[] = [];
      for (let at = 0; at < bytes.length; at += part) texts.push(...frames.push(bytes.subarray(at, at + part)));
      t.deepEqual(
        texts.map((text) => JSON.parse(text).cvmfs_authz_v1.pid),
        questions.map(({ pid }) => pid),
      );
    }),
  );
});

test('another version, or an endless message, is refused', (t) => {
  const frame = encodeHandshake({ fqrn: 'x', syslog_facility: 0, syslog_level: 3 });
  frame[0] ^= 7;
  t.throws(() => new Frames().push(frame), { message: /version/ });
  const long = encodeHandshake({ fqrn: 'x', syslog_facility: 0, syslog_level: 3 });
  long.fill(0x7f, 4, 8);
  t.throws(() => new Frames().push(long), { message: /bytes at once/ });
});

test('answers; a token that is no header value is left out', (t) => {
  const answer = (body: unknown) => parseAnswer(JSON.stringify({ cvmfs_authz_v1: body }));
  t.is(answer({ msgid: 1 }).kind, 'ready');
  t.like(answer({ msgid: 3, status: 0 }), { kind: 'permit', permit: { granted: true, ttl: 120 } });
  t.like(answer({ msgid: 3, status: 9, ttl: 5 }), { permit: { granted: false, reason: 'unknown', ttl: 5 } });
  const { permit } = answer({ msgid: 3, status: 0, bearer_token: 'a\r\nX: y' }) as { permit: object };
  t.false('bearerToken' in permit);
  for (const wrong of [{}, { msgid: 3 }, { msgid: 7 }, null]) t.throws(() => answer(wrong));
});
