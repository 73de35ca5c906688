import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { fingerprint, makeCertificate, parseCertificate } from '../../src/repository/certificate.ts';
import { digestOf } from '../../src/repository/digest.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const PEM = makeCertificate({ fqrn: 'a.example.org', privateKey });

test('a certificate we make is self-signed, of version 1, and says whose it is', (t) => {
  const certificate = new X509Certificate(PEM);
  t.true(certificate.verify(publicKey));
  t.is(certificate.subject, 'CN=a.example.org CernVM-FS Release Managers');
  t.is(certificate.issuer, certificate.subject);
  t.true(PEM.endsWith('-----END CERTIFICATE-----\n'));
  const shown = spawnSync('openssl', ['x509', '-noout', '-text'], { input: PEM, encoding: 'utf8' });
  if (shown.error) t.log('openssl is not installed: version not looked at');
  else t.regex(shown.stdout, /Version: 1 \(0x0\)[\s\S]*Signature Algorithm: sha256WithRSAEncryption/);
});

test('its key and its fingerprints can be read', (t) => {
  const certificate = parseCertificate(Buffer.from(PEM));
  t.true(certificate.publicKey.equals(publicKey));
  t.is(fingerprint(certificate, 'sha1').hex, createHash('sha1').update(certificate.der).digest('hex'));
  t.is(fingerprint(certificate, 'rmd160').toString(), digestOf('rmd160', certificate.der).toString());
  t.is(fingerprint(certificate, 'shake128').algorithm, 'shake128');
});

test('dates do not count', (t) => {
  const [notBefore, notAfter] = [new Date('1999-01-01'), new Date('2055-01-01')];
  const certificate = new X509Certificate(makeCertificate({ fqrn: 'b', privateKey, notBefore, notAfter }));
  t.is(certificate.validFromDate.getTime(), notBefore.getTime());
  t.is(certificate.validToDate.getTime(), notAfter.getTime());
  const expired = makeCertificate({ fqrn: 'b', privateKey, notBefore: new Date(0), notAfter: new Date(1000) });
  t.notThrows(() => parseCertificate(Buffer.from(expired)));
});

test('a certificate with trust settings behind it is read', (t) => {
  const made = spawnSync('openssl', ['x509', '-trustout', '-addtrust', 'serverAuth'], { input: PEM, encoding: 'utf8' });
  if (made.error) {
    t.log('openssl is not installed: skipped');
    return t.pass();
  }
  t.regex(made.stdout, /BEGIN TRUSTED CERTIFICATE/);
  t.deepEqual(parseCertificate(Buffer.from(made.stdout)), parseCertificate(Buffer.from(PEM)));
});

test('a certificate without RSA key is refused', (t) => {
  const made = spawnSync(
    'openssl',
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x'.split(' '),
    { encoding: 'utf8' },
  );
  if (made.error) {
    t.log('openssl is not installed: skipped');
    return t.pass();
  }
  t.throws(() => parseCertificate(Buffer.from(made.stdout)), { code: 'BadCertificate', message: /RSA/ });
});

test('what is no certificate is refused, whatever it is', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      t.throws(() => parseCertificate(bytes), { code: 'BadCertificate' });
    }),
  );
  const damaged = fc.tuple(fc.nat({ max: PEM.length - 1 }), fc.constantFrom('A', 'z', '-', '\n', '\0'));
  fc.assert(
    fc.property(damaged, ([at, character]) => {
      const text = PEM.slice(0, at) + character + PEM.slice(at + 1);
      try {
        t.is(parseCertificate(Buffer.from(text)).publicKey.asymmetricKeyType, 'rsa');
      } catch (error) {
        t.is((error as { code?: string }).code, 'BadCertificate');
      }
    }),
  );
});
