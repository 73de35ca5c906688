// Archives against GNU tar: what we write it unpacks, what it packs in any of its formats we read.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { withDir } from 'tmp-promise';
import type { TarEntry } from '../../src/tar/header.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { TarWriter } from '../../src/tar/writer.ts';

const NOTHING = { uid: 0, gid: 0, size: 0, mtime: 0n, mtimeNs: 0, target: '', deviceMajor: 0, deviceMinor: 0 };
const LONG = `${'directory-'.repeat(12)}/${'n'.repeat(240)}`;
const BINARY = 'caf\xe9 \xff\n"\\';

function entriesOf(file: string): TarEntry[] {
  const fd = openSync(file, 'r');
  try {
    return [...new TarReader(fd).entries()];
  } finally {
    closeSync(fd);
  }
}

test('what is written comes back as it was, and GNU tar unpacks it', async (t) => {
  await withDir(
    async ({ path }) => {
      const archive = join(path, 'a.tar');
      const content = Buffer.from('x'.repeat(1000));
      writeFileSync(join(path, 'content'), content);
      const xattrs = new Map([['user.odd', Buffer.from([0, 10, 255])]]);
      const entries: TarEntry[] = [
        { ...NOTHING, path: 'directory', kind: 'directory', mode: 0o2775, xattrs: new Map(), mtime: 1_000_000_000n },
        { ...NOTHING, path: LONG, kind: 'file', mode: 0o4755, size: 1000, mtime: 1n, mtimeNs: 5, xattrs: new Map() },
        { ...NOTHING, path: BINARY, kind: 'file', mode: 0o600, size: 1000, xattrs },
        { ...NOTHING, path: 'link', kind: 'link', mode: 0o600, target: BINARY, xattrs: new Map() },
        { ...NOTHING, path: 'symlink', kind: 'symlink', mode: 0o777, target: `/${LONG}`, xattrs: new Map() },
        { ...NOTHING, path: 'old', kind: 'fifo', mode: 0o640, mtime: -2n, mtimeNs: 250_000_000, xattrs: new Map() },
        { ...NOTHING, path: 'owned', kind: 'file', mode: 0o644, uid: 4_000_000_000, gid: 7, xattrs: new Map() },
        {
          ...NOTHING,
          path: 'device',
          kind: 'character',
          mode: 0o600,
          deviceMajor: 5,
          deviceMinor: 1,
          xattrs: new Map(),
        },
      ];
      const fd = openSync(archive, 'w');
      const writer = new TarWriter(fd);
      for (const entry of entries) {
        const source = entry.size > 0 ? openSync(join(path, 'content'), 'r') : undefined;
        writer.add(entry, source);
        if (source !== undefined) closeSync(source);
      }
      writer.end();
      closeSync(fd);
      t.deepEqual(entriesOf(archive), entries);

      const out = join(path, 'out');
      mkdirSync(out);
      execFileSync('tar', ['-C', out, '--no-same-owner', '--exclude=device', '-xf', archive]);
      const shown = execFileSync('stat', ['-c', '%a %s %.9Y', LONG, 'directory', 'old'], {
        cwd: out,
        encoding: 'utf8',
      });
      t.regex(shown, /^4755 1000 1\.000000005\n2775 \d+ 1000000000\.000000000\n640 0 -1\.750000000\n$/);
      t.deepEqual(readFileSync(Buffer.from(`${out}/${BINARY}`, 'latin1')), content);
      t.is(execFileSync('readlink', ['symlink'], { cwd: out, encoding: 'utf8' }), `/${LONG}\n`);
    },
    { unsafeCleanup: true },
  );
});

for (const format of ['v7', 'ustar', 'gnu', 'posix']) {
  test(`archives of GNU tar in the format ${format} are read`, async (t) => {
    await withDir(
      async ({ path }) => {
        const tree = join(path, 'tree');
        const long = format === 'gnu' || format === 'posix' ? LONG : 'directory/name';
        mkdirSync(join(tree, long, '..'), { recursive: true });
        writeFileSync(join(tree, long), 'long');
        writeFileSync(join(tree, 'plain'), 'plain');
        utimesSync(join(tree, 'plain'), 1, 1234);
        execFileSync('ln', ['plain', 'plain-too'], { cwd: tree });
        symlinkSync('plain', join(tree, 'symlink'));
        const archive = join(path, 'a.tar');
        execFileSync('tar', ['-C', tree, '--sort=name', `--format=${format}`, '-cf', archive, '.']);
        const found = entriesOf(archive);
        const names = found.map(({ kind, path: name, target, size }) => `${kind} ${name} ${target} ${size}`);
        t.true(names.includes(`file ${long}  4`), names.join('\n'));
        t.true(names.includes('file plain  5'));
        t.true(names.includes('link plain-too ./plain 0'));
        t.true(names.includes('symlink symlink plain 0'));
        t.is(found[0].path, '');
        t.is(found.find(({ path: name }) => name === 'plain')?.mtime, 1234n);
      },
      { unsafeCleanup: true },
    );
  });
}

test('what is no archive, or cut off, is refused', async (t) => {
  await withDir(
    async ({ path }) => {
      writeFileSync(join(path, 'file'), 'y'.repeat(5000));
      t.throws(() => entriesOf(join(path, 'file')), { message: /not a tar archive/ });
      spawnSync('tar', ['-C', path, '-cf', join(path, 'a.tar'), 'file']);
      writeFileSync(join(path, 'short'), readFileSync(join(path, 'a.tar')).subarray(0, 3000));
      t.throws(() => entriesOf(join(path, 'short')), { message: /cut off/ });
      spawnSync('tar', ['-C', path, '-czf', join(path, 'z.tar'), 'file']);
      t.throws(() => entriesOf(join(path, 'z.tar')), { message: /must be uncompressed first/ });
    },
    { unsafeCleanup: true },
  );
});
