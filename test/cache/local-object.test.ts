import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import test from 'ava';
import fc from 'fast-check';
import { FileObject, MemoryObject } from '../../src/cache/local-object.ts';

test('bytes in memory are read like a file', (t) => {
  const bytes = Buffer.from('0123456789');
  fc.assert(
    fc.property(fc.nat(12), fc.nat(12), fc.nat(12), (offset, length, position) => {
      const object = new MemoryObject(bytes);
      const target = Buffer.alloc(8, '.');
      const count = object.read(target, offset, length, position);
      const expected = bytes.subarray(position, position + Math.max(0, Math.min(length, 8 - offset)));
      t.is(count, expected.length);
      t.is(target.subarray(offset, offset + count).toString(), expected.toString());
      t.is(target.toString().replaceAll('.', '').length, count);
    }),
  );
});

test('reading after closing is an error', (t) => {
  const object = new MemoryObject(Buffer.from('x'));
  object.close();
  object.close();
  t.throws(() => object.read(Buffer.alloc(1), 0, 1, 0));
});

test.serial('a file that another machine removed from a cache on NFS reads as one that was cut off', (t) => {
  const { readSync } = fs;
  const object = new FileObject(fs.openSync(import.meta.filename, 'r'), 10);
  t.teardown(() => {
    object.close();
    fs.readSync = readSync;
    syncBuiltinESMExports();
  });
  // No NFS here: what the system call answers there.
  let code = 'ESTALE';
  fs.readSync = () => {
    throw Object.assign(new Error(code), { code });
  };
  syncBuiltinESMExports();
  t.is(object.read(Buffer.alloc(10), 0, 10, 0), 0);
  code = 'EIO';
  t.throws(() => object.read(Buffer.alloc(10), 0, 10, 0), { code });
});
