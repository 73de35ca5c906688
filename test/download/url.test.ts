import test from 'ava';
import fc from 'fast-check';
import { DownloadError } from '../../src/download/errors.ts';
import { escapeUrl, parseHttpUrl } from '../../src/download/url.ts';

test('what a URL may hold stays, all else is escaped byte by byte in upper case', (t) => {
  t.is(escapeUrl('/cvmfs/a.b.c/data/0f/x-_~+@:,[]'), '/cvmfs/a.b.c/data/0f/x-_~+@:,[]');
  t.is(escapeUrl('/a b/ä?#%20&=*'), '/a%20b/%C3%A4%3F%23%2520%26%3D%2A');
});

test('a path of a repository is escaped as the bytes it is', (t) => {
  t.is(escapeUrl('/\xc3\xa9/caf\xe9', 'latin1'), '/%C3%A9/caf%E9');
});

test('escaping is what decodeURIComponent undoes, and never leaves a space, control byte or line end', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const escaped = escapeUrl(text);
      return decodeURIComponent(escaped) === text && /^[\x21-\x7e]*$/.test(escaped);
    }),
  );
  t.pass();
});

test('a server URL is taken apart', (t) => {
  const { name, secure, host, port, authority, path } = parseHttpUrl('http://Server.example.org:8000/cvmfs/a.b/');
  t.deepEqual(
    { name, secure, host, port, authority, path },
    {
      name: 'http://server.example.org:8000/cvmfs/a.b',
      secure: false,
      host: 'server.example.org',
      port: 8000,
      authority: 'server.example.org:8000',
      path: '/cvmfs/a.b',
    },
  );
  t.is(parseHttpUrl('https://h/x').port, 443);
  t.is(parseHttpUrl('http://h').authority, 'h');
  t.is(parseHttpUrl('http://h', 3128).port, 3128);
  t.like(parseHttpUrl('http://[::1]:81/x'), { host: '::1', authority: '[::1]:81' });
});

test('credentials are taken out of a URL and appear in no name', (t) => {
  const endpoint = parseHttpUrl('http://me:s%20t@proxy:3128');
  t.is(endpoint.credentials, `Basic ${Buffer.from('me:s t').toString('base64')}`);
  t.is(endpoint.name, 'http://proxy:3128');
  const error = t.throws(() => parseHttpUrl('http://me:secret@proxy:port'));
  t.false(error?.message.includes('secret'));
});

for (const url of [
  '',
  'server',
  'ftp://h/',
  'http://',
  'http://h:0',
  'http://h:65536',
  'http://h h/',
  'http://h/\r\nX: y',
]) {
  test(`not a URL: ${JSON.stringify(url)}`, (t) => {
    t.is(t.throws(() => parseHttpUrl(url), { instanceOf: DownloadError })?.code, 'BAD_URL');
  });
}
