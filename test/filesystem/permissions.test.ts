import test from 'ava';
import { EXECUTE, mayAccess, READ, WRITE } from '../../src/filesystem/permissions.ts';
import type { Attributes } from '../../src/fuse/operations.ts';

const file = (mode: number) => ({ mode, uid: 10, gid: 20 }) as Attributes;
const owner = { uid: 10, gid: 99, pid: 0 };
const member = { uid: 11, gid: 20, pid: 0 };
const other = { uid: 11, gid: 21, pid: 0 };
const root = { uid: 0, gid: 0, pid: 0 };

test('owner, group and others have the bits that are theirs, and only these', (t) => {
  const mode = 0o100751;
  t.true(mayAccess(file(mode), owner, READ | WRITE | EXECUTE));
  t.true(mayAccess(file(mode), member, READ | EXECUTE));
  t.false(mayAccess(file(mode), member, WRITE));
  t.true(mayAccess(file(mode), other, EXECUTE));
  t.false(mayAccess(file(mode), other, READ | EXECUTE));
  t.false(mayAccess(file(0o100077), owner, READ), 'the owner has not what others have');
  t.false(mayAccess(file(0o100707), member, READ), 'nor the group');
  t.true(mayAccess(file(0o100000), other, 0), 'existence is for everybody');
});

test('supplementary groups count', (t) => {
  const [group] = (process.getgroups?.() ?? []).filter((gid) => gid !== process.getgid?.());
  const gid = group ?? process.getgid?.() ?? 0;
  const attributes = { mode: 0o100040, uid: 10, gid } as Attributes;
  t.true(mayAccess(attributes, { uid: 11, gid: gid + 1, pid: process.pid }, READ) || group === undefined);
  t.false(mayAccess({ ...attributes, gid: 0xfffffff }, { uid: 11, gid: 21, pid: process.pid }, READ));
  t.false(
    mayAccess({ ...attributes, gid: 0xfffffff }, { uid: 11, gid: 21, pid: 0x7ffffff0 }, READ),
    'a process that is gone',
  );
});

test('root reads everything, and executes what anybody may execute', (t) => {
  t.true(mayAccess(file(0o100000), root, READ));
  t.false(mayAccess(file(0o100644), root, EXECUTE));
  t.true(mayAccess(file(0o100645), root, EXECUTE));
  t.true(mayAccess(file(0o040600), root, EXECUTE), 'searches every directory');
});
