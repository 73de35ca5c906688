import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { scanTree } from '../../src/publish/tree-scan.ts';
import { applyXattrs, parseGetfattr, readXattrs } from '../../src/publish/xattr-scan.ts';

test('getfattr output is read with quoted names, empty values and the names below the tree', (t) => {
  const text = [
    '# file: /tree',
    'user.top=0x31',
    '',
    '# file: /tree/a\\012b\\134c',
    'user.one=0x626172',
    'user.empty',
    'user.zero=0x',
    'user.with\\075sign=0xff00',
    'security.selinux=0x00',
    'trusted.overlay.opaque=0x79',
    'security.capability=0x0102',
    '',
    '# file: /tree/labelled',
    'security.selinux=0x00',
    '',
  ].join('\n');
  t.deepEqual(
    parseGetfattr(text, '/tree'),
    new Map([
      ['', { 'user.top': Buffer.from('1') }],
      [
        '/a\nb\\c',
        {
          'user.one': Buffer.from('bar'),
          'user.empty': Buffer.alloc(0),
          'user.zero': Buffer.alloc(0),
          'user.with=sign': Buffer.of(255, 0),
          'security.capability': Buffer.of(1, 2),
        },
      ],
    ]),
  );
});

test('attributes on the disk are read for names of any bytes', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xattrs-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const odd = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from('caf\xe9 \n\\x', 'latin1')]);
  writeFileSync(odd, '');
  mkdirSync(join(directory, 'sub'));
  writeFileSync(join(directory, 'sub/file'), '');
  // sh, since arguments of a child are encoded as UTF-8 by Node.
  const set = spawnSync(
    'sh',
    ['-c', 'setfattr -n user.odd -v 1 ./caf* && setfattr -n user.b -v 0x00ff0a sub/file && setfattr -n user.d sub'],
    {
      cwd: directory,
    },
  );
  if (set.error !== undefined || set.status !== 0) {
    t.log('setfattr is not installed, or the file system has no extended attributes: skipped');
    t.pass();
    return;
  }
  const expected = new Map([
    ['/caf\xe9 \n\\x', { 'user.odd': Buffer.from('1') }],
    ['/sub', { 'user.d': Buffer.alloc(0) }],
    ['/sub/file', { 'user.b': Buffer.of(0, 255, 10) }],
  ]);
  t.deepEqual(new Map([...(await readXattrs(directory))!].sort()), expected);
});

test('an attribute that a catalog cannot hold is refused with the name of its file', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xattrs-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'file'), '');
  const xattrs = new Map([['/file', { 'user.long': Buffer.alloc(256) }]]);
  const error = t.throws(() => applyXattrs(scanTree(directory), xattrs), { code: 'XATTR' });
  t.regex(error.message, /\/file.*user\.long/);
});
