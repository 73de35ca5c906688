import test from 'ava';
import fc from 'fast-check';
import { type Attributes, Errno } from '../../src/fuse/operations.ts';
import { ByteSink } from './kernel.ts';
import { attrParts, cString, dirents, entryParts, readIn, u32 } from './wire.ts';

const LOOKUP = 1;
const GETATTR = 3;
const READLINK = 5;
const READ = 15;
const GETXATTR = 22;
const LISTXATTR = 23;
const READDIR = 28;
const READDIRPLUS = 44;

const safe = (max = Number.MAX_SAFE_INTEGER) => fc.integer({ min: 0, max });
const u32s = safe(0xffff_ffff);
const ATTRIBUTES: fc.Arbitrary<Attributes> = fc.record({
  ino: safe(),
  size: safe(),
  blocks: safe(),
  mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  mtimeNs: safe(999_999_999),
  mode: safe(0o177777),
  nlink: u32s,
  uid: u32s,
  gid: u32s,
  rdev: u32s,
});
/** Any bytes that may be a name. */
const NAME = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 255 })
  .map((bytes) => String.fromCharCode(...bytes).replaceAll('/', '_'));

const expected = (a: Attributes) => ({
  ino: BigInt(a.ino),
  size: BigInt(a.size),
  blocks: BigInt(a.blocks),
  atime: BigInt(a.mtime),
  mtime: BigInt(a.mtime),
  ctime: BigInt(a.mtime),
  nanoseconds: [a.mtimeNs, a.mtimeNs, a.mtimeNs],
  mode: a.mode,
  nlink: a.nlink,
  uid: a.uid,
  gid: a.gid,
  rdev: a.rdev,
  blksize: 4096,
  flags: 0,
});

test('every entry and its attributes arrive as given, and so do the question and the caller', (t) => {
  fc.assert(
    fc.property(
      ATTRIBUTES,
      safe(),
      safe(),
      NAME,
      fc.tuple(u32s, u32s, u32s),
      fc.bigInt(1n, (1n << 64n) - 1n),
      (a, parent, node, name, ids, unique) => {
        const asked: unknown[] = [];
        const sink = new ByteSink({
          lookup: (...question) => {
            asked.push([question[0], question[1], { ...question[2] }]);
            return { node: Math.max(node, 1), attributes: a };
          },
        });
        sink.init();
        const [uid, gid, pid] = ids;
        const reply = sink.ask({ opcode: LOOKUP, unique, node: BigInt(parent), uid, gid, pid }, cString(name));
        t.deepEqual(asked, [[parent, name, { uid, gid, pid }]]);
        t.deepEqual([reply.length, reply.error, reply.unique, reply.body.length], [144, 0, unique, 128]);
        const entry = entryParts(reply.body);
        t.deepEqual(entry.attr, expected(a));
        t.is(entry.node, BigInt(Math.max(node, 1)));
        t.deepEqual([entry.generation, entry.entryValid, entry.attrValid], [0n, [36_000n, 0], [36_000n, 0]]);
      },
    ),
  );
});

test('attributes of a node arrive as given, with their time-out', (t) => {
  fc.assert(
    fc.property(ATTRIBUTES, (a) => {
      const sink = new ByteSink({ getattr: () => a }, { attributeTimeout: 2.5 });
      sink.init();
      const { body } = sink.ask({ opcode: GETATTR }, Buffer.alloc(16));
      t.is(body.length, 104);
      t.deepEqual([body.readBigUInt64LE(0), body.readUInt32LE(8)], [2n, 500_000_000]);
      t.deepEqual(attrParts(body.subarray(16)), expected(a));
    }),
  );
});

test('a name that does not exist is remembered by the kernel, unless the file system says ENOENT', (t) => {
  const sink = new ByteSink({
    lookup: (_, name) => {
      if (name === 'unsure') throw new Errno(2);
      return undefined;
    },
  });
  sink.init();
  const reply = sink.ask({ opcode: LOOKUP }, cString('absent'));
  t.is(reply.error, 0);
  t.is(entryParts(reply.body).node, 0n);
  t.deepEqual(entryParts(reply.body).entryValid, [36_000n, 0]);
  t.is(sink.ask({ opcode: LOOKUP }, cString('unsure')).error, -2);
});

test('a directory is listed completely whatever the names and the room', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(NAME, ATTRIBUTES), { maxLength: 60 }),
      fc.integer({ min: 1300, max: 9000 }),
      fc.boolean(),
      (entries, size, plus) => {
        const all = [['.', entries[0]?.[1]], ...entries].filter(([, a]) => a !== undefined) as Array<
          [string, Attributes]
        >;
        const sink = new ByteSink({
          readdir: (node, offset, target) => {
            t.is(node, 7);
            for (let i = offset; i < all.length; i++) {
              if (!target.add(all[i][0], { node: 100 + i, attributes: all[i][1] }, i + 1)) return;
            }
          },
        });
        sink.init();
        const listed = [];
        for (let offset = 0n; ; ) {
          const reply = sink.ask({ opcode: plus ? READDIRPLUS : READDIR, node: 7n }, readIn(offset, size));
          t.true(reply.body.length <= size);
          const part = dirents(reply.body, plus);
          if (part.length === 0) break;
          listed.push(...part);
          offset = part.at(-1)!.next;
        }
        t.deepEqual(
          listed.map(({ name, ino, type, next }) => ({ name, ino, type, next })),
          all.map(([name, a], i) => ({
            name,
            ino: BigInt(a.ino),
            type: (a.mode & 0o170000) >> 12,
            next: BigInt(i + 1),
          })),
        );
        if (plus) {
          t.deepEqual(
            listed.map(({ entry }) => [entry?.node, entry?.attr]),
            all.map(([name, a], i) => [name === '.' ? 0n : BigInt(100 + i), expected(a)]),
          );
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('a read is answered from the offset, in at most the size asked, also beyond the usual sizes', (t) => {
  const content = Buffer.alloc(3_000_000, 'abcdefg');
  const sink = new ByteSink({
    read: (_, offset, target) => {
      t.true(offset >= 0);
      const part = content.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
  });
  sink.init();
  for (const [offset, size] of [
    [0, 4096],
    [5, 131_072],
    [2_999_990, 4096],
    [3_000_000, 4096],
    [9e15, 4096],
    [1, 2_500_000],
    [7, 0],
    [3, 4096],
  ]) {
    const reply = sink.ask({ opcode: READ }, readIn(BigInt(offset), size));
    t.is(reply.error, 0);
    t.true(reply.body.equals(content.subarray(offset, offset + size)), `${size} from ${offset}`);
  }
  t.is(sink.ask({ opcode: READ }, readIn(0n, 0xffff_ffff)).error, -22);
  t.deepEqual(sink.accidents, []);
});

test('a read that claims more than was asked is EIO', (t) => {
  const results = [4097, -1, Number.NaN];
  const sink = new ByteSink({ read: () => results.shift()! });
  sink.init();
  for (let i = 0; i < 3; i++) t.is(sink.ask({ opcode: READ }, readIn(0n, 4096)).error, -5);
  t.is(sink.accidents.length, 3);
});

test('link targets are bytes; one that the kernel could not take is refused', (t) => {
  const targets = [Buffer.from([0xff, 0x2f, 0x80]), Buffer.alloc(4095, 'x'), Buffer.alloc(4096, 'x')];
  const sink = new ByteSink({ readlink: () => targets.shift()! });
  sink.init();
  t.deepEqual([...sink.ask({ opcode: READLINK }).body], [0xff, 0x2f, 0x80]);
  t.is(sink.ask({ opcode: READLINK }).body.length, 4095);
  t.is(sink.ask({ opcode: READLINK }).error, -36);
});

test('extended attributes: size 0 asks for the length, too small is ERANGE, foreign names are not asked for', (t) => {
  const sink = new ByteSink({
    getxattr: (_, name) => {
      if (name !== 'user.a' && name !== 'xfsroot.rawlink') throw new Errno(61);
      return Buffer.from('value');
    },
    listxattr: () => ['user.a', 'user.caf\xe9'],
  });
  sink.init();
  const get = (name: string, size: number) => sink.ask({ opcode: GETXATTR }, u32(size, 0), cString(name));
  for (const name of ['user.a', 'xfsroot.rawlink']) {
    t.is(get(name, 0).body.readUInt32LE(0), 5);
    t.is(get(name, 4).error, -34);
    t.is(get(name, 5).body.toString(), 'value');
    t.is(get(name, 500).body.toString(), 'value');
  }
  t.is(get('user.b', 100).error, -61);
  for (const name of ['security.selinux', 'system.posix_acl_access', 'trusted.overlay.opaque'])
    t.is(get(name, 100).error, -95, name);

  const list = (size: number) => sink.ask({ opcode: LISTXATTR }, u32(size, 0));
  t.is(list(0).body.readUInt32LE(0), 17);
  t.is(list(16).error, -34);
  t.is(list(17).body.toString('latin1'), 'user.a\0user.caf\xe9\0');
});
