import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { isCertificateBlacklisted, isRevisionBlacklisted, parseBlacklist } from '../../src/repository/blacklist.ts';
import { fingerprint, makeCertificate, parseCertificate } from '../../src/repository/certificate.ts';
import { formatFingerprint } from '../../src/repository/fingerprint.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const certificate = parseCertificate(Buffer.from(makeCertificate({ fqrn: 'a.example.org', privateKey })));

for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
  test(`a certificate is blacklisted by its ${algorithm} fingerprint`, (t) => {
    const line = formatFingerprint(fingerprint(certificate, algorithm));
    t.true(isCertificateBlacklisted(parseBlacklist('# other\n', `junk\n${line} # stolen\n`), certificate));
    t.true(isCertificateBlacklisted(parseBlacklist(line), certificate));
    const other = line.replace(/^../, (digits) => (digits === '00' ? '01' : '00'));
    t.false(isCertificateBlacklisted(parseBlacklist(other), certificate));
  });
}

test('all revisions below the one named are blacklisted', (t) => {
  const blacklist = parseBlacklist('<a.example.org 7\n<b.example.org \t 3\n', '<a.example.org 5\n');
  t.true(isRevisionBlacklisted(blacklist, 'a.example.org', 6));
  t.false(isRevisionBlacklisted(blacklist, 'a.example.org', 7));
  t.true(isRevisionBlacklisted(blacklist, 'b.example.org', 2));
  t.false(isRevisionBlacklisted(blacklist, 'c.example.org', 0));
});

for (const line of [
  '<a.example.org 7 ',
  '<a.example.org 7x',
  '<a.example.org',
  ' <a.example.org 7',
  '<a.example.org -7',
  'a.example.org 7',
]) {
  test(`the line "${line}" means nothing`, (t) => {
    t.false(isRevisionBlacklisted(parseBlacklist(line), 'a.example.org', 0));
  });
}
