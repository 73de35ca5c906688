import test from 'ava';
import fc from 'fast-check';
import { mountOptions } from '../../src/fuse/mount-options.ts';
import { invalidateEntryMessage, invalidateInodeMessage, resendMessage } from '../../src/fuse/notify.ts';

const header = (b: Buffer) => [b.readUInt32LE(0), b.readInt32LE(4), b.readBigUInt64LE(8)];

test('notifications have the layout that the kernel checks to the byte', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.boolean(), (node, expire) => {
      const entry = invalidateEntryMessage(node, 'caf\xe9', expire);
      t.deepEqual(header(entry), [37, 3, 0n]);
      t.deepEqual(
        [entry.readBigUInt64LE(16), entry.readUInt32LE(24), entry.readUInt32LE(28)],
        [BigInt(node), 4, expire ? 1 : 0],
      );
      t.is(entry.toString('latin1', 32), 'caf\xe9\0');
      for (const [part, offset] of [
        ['attributes', -1n],
        ['attributes and content', 0n],
      ] as const) {
        const inode = invalidateInodeMessage(node, part);
        t.deepEqual(header(inode), [40, 2, 0n]);
        t.deepEqual(
          [inode.readBigUInt64LE(16), inode.readBigInt64LE(24), inode.readBigInt64LE(32)],
          [BigInt(node), offset, 0n],
        );
      }
    }),
  );
  t.deepEqual(header(resendMessage()), [16, 7, 0n]);
});

test('mount options of a mount of our own and of a foreign one', (t) => {
  const common = 'fd=3,rootmode=40000,user_id=0,group_id=0,nosuid,nodev';
  t.is(
    mountOptions({ fd: 3, uid: 0, gid: 0, readOnly: true, allowOther: true }),
    `${common},ro,default_permissions,allow_other`,
  );
  t.is(mountOptions({ fd: 3, uid: 0, gid: 0, readOnly: false, allowOther: false }), common);
});
