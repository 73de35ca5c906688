import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Downloader } from '../../src/download/downloader.ts';
import { MemorySink } from '../../src/download/memory-sink.ts';
import { sampleBytes, temporaryDirectory } from '../support/object-fixture.ts';

function download(t: ExecutionContext, ...servers: string[]): Downloader {
  const downloader = new Downloader({ servers, timeoutDirect: 0.5, backoffInit: 0.02, proxies: 'http://127.0.0.1:1' });
  t.teardown(() => downloader.close());
  return downloader;
}

test('a file:// server is read without any proxy, also from a directory with odd names', async (t) => {
  const root = join(temporaryDirectory(t), 'a b%20ü');
  mkdirSync(root);
  const bytes = sampleBytes(1_000_000);
  writeFileSync(join(root, 'large'), bytes);
  writeFileSync(join(root, 'empty'), '');
  const downloader = download(t, `file://${root}/`);
  t.true((await downloader.file('/large', 2_000_000)).equals(bytes));
  t.is((await downloader.file('/empty', 10)).length, 0);
  const sink = new MemorySink(1000);
  await downloader.transfer({ path: '/large', label: 'large', range: { offset: 999_000, length: 500 } }, sink);
  t.true(sink.take().equals(bytes.subarray(999_000, 999_500)));
});

test('names that are not UTF-8 are found', async (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/ü`), Buffer.from([0xff])]), 'content');
  const path = `/${Buffer.from('ü').toString('latin1')}\xff`;
  t.is((await download(t, `file://${root}`).file(path, 100)).toString(), 'content');
});

test('a file that is missing on one file:// server is taken from the next', async (t) => {
  const [a, b] = [temporaryDirectory(t), temporaryDirectory(t)];
  writeFileSync(join(b, 'x'), 'content');
  t.is((await download(t, `file://${a}`, `file://${b}`).file('/x', 100)).toString(), 'content');
  await t.throwsAsync(download(t, `file://${a}`).file('/x', 100), { message: /no such file/, code: 'HOST_HTTP' });
});

test('what is not a file is refused, and a pipe does not block', async (t) => {
  const root = temporaryDirectory(t);
  mkdirSync(join(root, 'directory'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  for (const name of ['directory', 'pipe']) {
    await t.throwsAsync(download(t, `file://${root}`).file(`/${name}`, 100), { message: /not a regular file/ });
  }
});

test('a file that is too long is refused', async (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(join(root, 'x'), 'content');
  await t.throwsAsync(download(t, `file://${root}`).file('/x', 6), { code: 'BAD_DATA' });
});
