import test from 'ava';
import type { AttachedCatalog } from '../../src/filesystem/attached-catalog.ts';
import { attributesOf } from '../../src/filesystem/attributes.ts';
import { PlainNumbering } from '../../src/filesystem/numbering.ts';
import { type MadeRow, openMade, pathHash } from '../repository/made-catalog.ts';

const AS_PUBLISHED = { worldReadable: false };

function attributes(
  row: Omit<MadeRow, 'path'>,
  rules: Parameters<typeof attributesOf>[2] = AS_PUBLISHED,
  linkSize = 0,
) {
  const catalog = openMade({ rows: [{ path: '/x', ...row }] });
  const attached = {
    catalog,
    number: 1,
    nodes: new PlainNumbering(1, 1000),
    groupRows: new Map([[5, 1]]),
  } as unknown as AttachedCatalog;
  const entry = catalog.row(catalog.lookup(pathHash('/x')))!;
  return { ...attributesOf(entry, attached, rules, linkSize), rowid: entry.rowid };
}

test('a file has its size, blocks of 512 bytes, its times and its owner', (t) => {
  const { rowid, ...found } = attributes({ mode: 0o104755, size: 1025, mtime: -5, mtimens: 7, uid: 12, gid: 34 });
  t.deepEqual(found, {
    ino: rowid + 1000,
    size: 1025,
    blocks: 3,
    mtime: -5,
    mtimeNs: 7,
    mode: 0o104755,
    nlink: 1,
    uid: 12,
    gid: 34,
    rdev: 1,
  });
});

test('sizes beyond 4 GiB are kept', (t) => {
  t.is(attributes({ size: 2 ** 40 + 3 }).size, 2 ** 40 + 3);
});

test('a symlink is as long as its expanded target, a device has its number and no size', (t) => {
  t.like(attributes({ mode: 0o120777, size: 99, symlink: 'abc' }, AS_PUBLISHED, 17), { size: 17, rdev: 1 });
  for (const mode of [0o020600, 0o060600])
    t.like(attributes({ mode, size: 0x10300 }), { size: 0, rdev: 0x10300, blocks: 1 });
});

test('the owner can be claimed, and everything made readable; other bits stay', (t) => {
  const claim = { uid: 7, gid: 8 };
  t.like(attributes({ uid: 1, gid: 2 }, { claim, worldReadable: false }), { uid: 7, gid: 8, mode: 0o100644 });
  t.is(attributes({ mode: 0o100700 }, { worldReadable: true }).mode, 0o100744);
  t.is(attributes({ mode: 0o041700 }, { worldReadable: true }).mode, 0o041755);
});

test('names of a hard link group have the inode of the first that was seen', (t) => {
  const hardlinks = 5n * 2n ** 32n + 3n;
  t.like(attributes({ hardlinks }), { ino: 1001, nlink: 3 });
});
