import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { CacheError } from '../../src/cache/errors.ts';
import { makeObject, temporaryDirectory } from '../support/object-fixture.ts';

const { request, plain } = makeObject(Buffer.from('content of a file'));
const { hash } = request;
const TEMPORARY_FILE = join(import.meta.dirname, '../../src/cache/temporary-file.ts');

function newCache(t: ExecutionContext): CacheDirectory {
  return CacheDirectory.open(join(temporaryDirectory(t), 'deep', 'cache'));
}

const modeOf = (path: string) => (fs.statSync(path).mode & 0o7777).toString(8);

test('opening makes a private directory and nothing in it', (t) => {
  const cache = newCache(t);
  t.is(modeOf(cache.path), '700');
  t.deepEqual(fs.readdirSync(cache.path), []);
});

test('storing makes the layout of the reference, private', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  const names = fs.readdirSync(cache.path);
  t.is(names.length, 258);
  for (const name of ['00', '7f', 'ff', 'txn', '.cvmfscache']) t.true(names.includes(name), name);
  t.is(modeOf(join(cache.path, 'a0')), '700');
  t.is(modeOf(join(cache.path, '.cvmfscache')), '600');
  const path = join(cache.path, hash.hex.slice(0, 2), hash.hex.slice(2));
  t.is(modeOf(path), '600');
  t.is(fs.readFileSync(path, 'latin1'), plain.toString('latin1'));
  t.deepEqual(fs.readdirSync(join(cache.path, 'txn')), []);
});

test('names of other algorithms carry their suffix', (t) => {
  const cache = newCache(t);
  for (const algorithm of ['rmd160', 'shake128'] as const) {
    const object = makeObject(plain, { algorithm });
    cache.store(object.request.hash, plain);
    const { hex } = object.request.hash;
    t.true(fs.existsSync(join(cache.path, hex.slice(0, 2), `${hex.slice(2)}-${algorithm}`)));
    t.is(cache.open(object.request.hash)?.size, plain.length);
  }
});

test('an object is read like a file', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  const object = cache.open(hash, plain.length);
  if (!object) return t.fail();
  const target = Buffer.alloc(10, '.');
  t.is(object.read(target, 2, 5, 11), 5);
  t.is(target.toString(), `..${plain.toString().slice(11, 16)}...`);
  t.is(object.read(target, 0, 10, plain.length - 3), 3);
  t.is(object.read(target, 0, 10, plain.length), 0);
  object.close();
  object.close();
  t.throws(() => object.read(target, 0, 1, 0));
});

test('an object that is in use survives its removal', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  const object = cache.open(hash);
  cache.remove(hash);
  t.is(cache.open(hash), undefined);
  t.is(object?.read(Buffer.alloc(100), 0, 100, 0), plain.length);
  object?.close();
});

test('an entry of the wrong size is thrown away, an empty one too', (t) => {
  const cache = newCache(t);
  for (const wrong of [plain.subarray(1), Buffer.alloc(0)]) {
    cache.store(hash, wrong);
    t.false(cache.has(hash, plain.length));
    t.is(cache.open(hash, plain.length), undefined);
    t.false(fs.existsSync(cache.objectPath(hash)));
  }
  cache.store(hash, Buffer.alloc(0));
  t.is(cache.open(hash), undefined, 'size not known');
  t.false(fs.existsSync(cache.objectPath(hash)));
});

test('an object that is empty by its hash may be empty', (t) => {
  const cache = newCache(t);
  for (const algorithm of ['sha1', 'rmd160', 'shake128'] as const) {
    for (const compression of ['zlib', 'none'] as const) {
      const empty = makeObject(Buffer.alloc(0), { algorithm, compression }).request.hash;
      cache.store(empty, Buffer.alloc(0));
      t.is(cache.open(empty)?.size, 0);
    }
  }
});

test('links, directories and pipes in place of an object are not followed, read or waited for', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  const path = cache.objectPath(hash);
  const outside = join(temporaryDirectory(t), 'outside');
  fs.writeFileSync(outside, plain);
  fs.unlinkSync(path);
  fs.symlinkSync(outside, path);
  t.is(cache.open(hash), undefined);
  t.false(cache.has(hash));
  cache.store(hash, plain);
  t.true(fs.lstatSync(path).isFile(), 'replaced');
  t.is(fs.readFileSync(outside, 'latin1'), plain.toString('latin1'));
  fs.unlinkSync(path);
  execFileSync('mkfifo', [path]);
  t.is(cache.open(hash), undefined);
  fs.mkdirSync(path);
  t.is(cache.open(hash), undefined);
});

test('a missing subdirectory is made again', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  fs.rmSync(join(cache.path, hash.hex.slice(0, 2)), { recursive: true });
  cache.store(hash, plain);
  t.true(cache.has(hash, plain.length));
});

test('a directory of somebody else, or that everybody can write to, is refused', (t) => {
  const path = temporaryDirectory(t);
  fs.chmodSync(path, 0o777);
  t.throws(() => CacheDirectory.open(path), { instanceOf: CacheError, code: 'FOREIGN' });
  if (process.getuid?.() !== 0) return t.log('as root only: a directory of another user');
  fs.chmodSync(path, 0o700);
  fs.chownSync(path, 4711, 4711);
  t.throws(() => CacheDirectory.open(path), { code: 'FOREIGN', message: /belongs to user 4711/ });
  const link = join(temporaryDirectory(t), 'link');
  const own = temporaryDirectory(t);
  fs.symlinkSync(own, link);
  t.is(CacheDirectory.open(link).path, link);
  fs.lchownSync(link, 4711, 4711);
  t.throws(() => CacheDirectory.open(link), { code: 'FOREIGN' });
});

test('a directory that others could read becomes private', (t) => {
  const path = temporaryDirectory(t);
  fs.chmodSync(path, 0o755);
  CacheDirectory.open(path);
  t.is(modeOf(path), '700');
});

test('a directory that cannot be made is an error that says what to do', (t) => {
  const file = join(temporaryDirectory(t), 'file');
  fs.writeFileSync(file, '');
  const error = t.throws(() => CacheDirectory.open(join(file, 'cache')), { instanceOf: CacheError });
  t.is((error as CacheError).code, 'UNUSABLE');
  t.regex(error?.message ?? '', /CVMFS_CACHE_BASE/);
});

test('files that dead processes left are swept, those of living ones stay', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  const alive = cache.create();
  const [, namespace] = basename(alive.path).split('.');
  const txn = join(cache.path, 'txn');
  const hour = new Date(Date.now() - 3_600_000);
  const leave = (name: string, old: boolean) => {
    fs.writeFileSync(join(txn, name), 'x');
    if (old) fs.utimesSync(join(txn, name), hour, hour);
  };
  const dead = execFileSync(process.execPath, ['-p', 'process.pid']).toString().trim();
  leave(`fetch.${namespace}.${dead}.a`, false);
  leave(`fetch.1.${dead}.b`, false);
  leave('fetchAbCdEf', true);
  leave(`fetch.1.${process.pid}.c`, true);
  t.is(cache.sweep(), 3);
  t.deepEqual(fs.readdirSync(txn).sort(), [alive.path.slice(txn.length + 1), `fetch.1.${dead}.b`].sort());
  alive.discard();
});

test('files of processes on another machine that uses the same directory are left alone', (t) => {
  const cache = newCache(t);
  cache.store(hash, plain);
  const bootId = join(temporaryDirectory(t), 'boot-id');
  fs.writeFileSync(bootId, '01234567-89ab-4cde-8f01-23456789abcd');
  const create = `require(${JSON.stringify(TEMPORARY_FILE)}).TemporaryFile.create(${JSON.stringify(join(cache.path, 'txn'))})`;
  const there = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
  const words = ['-rm', 'sh', '-c', there, bootId, process.execPath, '-e', create];
  execFileSync('unshare', words, { stdio: 'inherit' });
  t.is(cache.sweep(), 0);
  t.is(fs.readdirSync(join(cache.path, 'txn')).length, 1);
  t.is(cache.sweep(Date.now() + 3_600_000), 1, 'but not for ever');
});

test('a temporary file that was swept away by mistake is a failure to store, nothing worse', (t) => {
  const cache = newCache(t);
  const file = cache.create();
  file.write(plain);
  fs.unlinkSync(file.path);
  t.throws(() => cache.commit(file, hash), { instanceOf: CacheError, code: 'NOT_STORED' });
  t.false(cache.has(hash));
});
