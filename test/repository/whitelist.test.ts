import test from 'ava';
import fc from 'fast-check';
import { formatFingerprint, parseFingerprint } from '../../src/repository/fingerprint.ts';
import {
  encodeWhitelist,
  isExpired,
  parseWhitelist,
  type Whitelist,
  whitelistTime,
} from '../../src/repository/whitelist.ts';
import { contentHash } from './arbitrary.ts';

const time = fc.stringMatching(/^[0-9]{14}$/);
const whitelist: fc.Arbitrary<Whitelist> = fc.record({
  issued: time,
  expires: time,
  name: fc.stringMatching(/^[a-z.-]{1,40}$/),
  pkcs7: fc.boolean(),
  caChain: fc.boolean(),
  fingerprints: fc.array(contentHash, { maxLength: 4 }),
});
const FINGERPRINT = '31:14:0C:C6:6D:3D:E8:1E:E9:8A:1B:0B:02:EA:75:B8:79:A1:96:A5';
const parse = (...lines: string[]) => parseWhitelist(Buffer.from(lines.map((line) => `${line}\n`).join('')));
const HEAD = ['20261124141304', 'E20461119141304', 'Nhash.example.org'] as const;

test('every whitelist is read back as it was written', (t) => {
  fc.assert(fc.property(whitelist, (value) => void t.deepEqual(parseWhitelist(encodeWhitelist(value)), value)));
});

test('a fingerprint is written as the reference writes it', (t) => {
  const text = `${FINGERPRINT}-SHAKE128`;
  t.is(formatFingerprint(parseFingerprint(text)!), text);
  fc.assert(fc.property(contentHash, (hash) => void t.deepEqual(parseFingerprint(formatFingerprint(hash)), hash)));
});

test('fingerprints may be in any case, with comments behind them, between lines that mean nothing', (t) => {
  const hash = parseFingerprint(FINGERPRINT)!;
  const { fingerprints } = parse(
    ...HEAD,
    '# comment',
    FINGERPRINT.toLowerCase(),
    `${FINGERPRINT} somebody's`,
    `${FINGERPRINT}#x`,
    `${FINGERPRINT}\tx`,
    FINGERPRINT.slice(3),
    '',
    `${FINGERPRINT}-MD5`,
    '--',
    FINGERPRINT,
  );
  t.deepEqual(fingerprints, [hash, hash, hash, hash]);
});

const MALFORMED: Record<string, string[]> = {
  nothing: [],
  'a short time of issue': ['2026', HEAD[1], HEAD[2]],
  'no time of expiry': [HEAD[0], '20461119141304', HEAD[2]],
  'a long time of expiry': [HEAD[0], `${HEAD[1]}0`, HEAD[2]],
  'letters in the time of expiry': [HEAD[0], 'E2046111914130x', HEAD[2]],
  'no name': [HEAD[0], HEAD[1]],
  'the end before the name': [HEAD[0], HEAD[1], '--', HEAD[2]],
};

for (const [what, lines] of Object.entries(MALFORMED)) {
  test(`a whitelist with ${what} is malformed`, (t) => {
    t.throws(() => parse(...lines), { code: 'BadWhitelist', message: /malformed/ });
  });
}

test('what is neither RSA letter nor known is seen', (t) => {
  t.like(parse(...HEAD, 'Vpkcs7', 'Wcachain'), { pkcs7: true, caChain: true });
  t.like(parse(...HEAD, 'Wcachain'), { pkcs7: false, caChain: true });
  t.like(parse(...HEAD), { pkcs7: false, caChain: false });
});

test('a whitelist is expired from the beginning of its hour of expiry', (t) => {
  for (const expires of ['20240131120000', '20240131125959']) {
    const value = { ...parse(...HEAD), expires };
    t.false(isExpired(value, new Date('2024-01-31T11:59:59Z')));
    t.true(isExpired(value, new Date('2024-01-31T12:00:00Z')));
    t.true(isExpired(value, new Date('2024-02-01T00:00:00Z')));
    t.false(isExpired(value, new Date('2023-12-31T23:00:00Z')));
  }
});

test('times are written in UTC', (t) => {
  t.is(whitelistTime(new Date('2026-11-24T14:13:04.567Z')), '20261124141304');
});

test('any bytes give a whitelist or are malformed', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, headed) => {
      const head = headed ? `${HEAD.join('\n')}\n` : '';
      try {
        parseWhitelist(Buffer.concat([Buffer.from(head), bytes]));
        t.true(headed || bytes.length > 0);
      } catch (error) {
        t.like(error, { code: 'BadWhitelist', reason: 'malformed' });
      }
    }),
  );
});
