// A tree with everything in it that a catalog can say, written to a directory; deterministic but for who owns it.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Extended attributes of the sample, for publish(): also where the disk cannot hold any. */
export const SAMPLE_XATTRS: ReadonlyMap<string, Record<string, Buffer>> = new Map<string, Record<string, Buffer>>([
  ['/xattrs/one', { 'user.foo': Buffer.from('bar') }],
  ['/xattrs/two', { 'user.k1': Buffer.from('p'), 'user.k2': Buffer.alloc(0), 'user.bytes': Buffer.of(0, 255, 10) }],
  ['/xattrs', { 'user.directory': Buffer.from('yes') }],
]);

/** Chunk sizes that cut the sample's large files. */
export const SAMPLE_CHUNK_SIZES = { min: 16 << 10, average: 32 << 10, max: 64 << 10 };

/** Bytes that look random and are always the same. */
export function pseudoRandom(length: number, seed: number): Buffer {
  const data = Buffer.allocUnsafe(length);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = state >>> 16;
  }
  return data;
}

/** Writes the sample into an empty directory. Device files, a socket's stand-in and other owners only as root. */
export function writeSampleTree(directory: string): void {
  chmodSync(directory, 0o755);
  writeFiles(directory);
  writeNames(directory);
  writeLinks(directory);
  writeSpecialFiles(directory);
  writeNestedCatalogs(directory);
  setTimes(directory);
}

function file(directory: string, path: string, content: string | Uint8Array, mode = 0o644): void {
  const location = join(directory, path);
  mkdirSync(join(location, '..'), { recursive: true });
  writeFileSync(location, content);
  chmodSync(location, mode);
}

function writeFiles(directory: string): void {
  file(directory, 'README', 'A sample.\n');
  file(directory, 'files/empty', '');
  file(directory, 'files/one-byte', 'x');
  file(directory, 'files/text', 'line\n'.repeat(5000));
  file(directory, 'files/executable', '#!/bin/sh\necho hello "$@"\n', 0o755);
  file(directory, 'files/setuid', 'x', 0o4755);
  file(directory, 'files/private', 'secret', 0o600);
  file(directory, 'files/chunked-random', pseudoRandom(300_000, 1));
  file(directory, 'files/chunked-zeros', Buffer.alloc(200_000));
  file(directory, 'files/chunked-text', Buffer.from('0123456789abcdef\n'.repeat(20_000)));
  file(directory, 'files/exactly-min', pseudoRandom(SAMPLE_CHUNK_SIZES.min, 2));
  file(directory, 'files/exactly-max', pseudoRandom(SAMPLE_CHUNK_SIZES.max, 3));
  for (let i = 0; i < 2000; i++) file(directory, `many/entry-${String(i).padStart(4, '0')}`, `${i}\n`);
  const deep = Array.from({ length: 20 }, (_, i) => `level-${i + 1}`).join('/');
  file(directory, `deep/${deep}/bottom`, 'deep\n');
  mkdirSync(join(directory, 'empty-directory'));
  mkdirSync(join(directory, 'sticky'));
  chmodSync(join(directory, 'sticky'), 0o1777);
  for (const name of ['one', 'two', 'none']) file(directory, `xattrs/${name}`, name);
}

function writeNames(directory: string): void {
  const names = ['blank in it', 'new\nline', 'ünïcode', 'quote\'"', '-dash', '$(X)', 'back\\slash', 'x'.repeat(255)];
  for (const name of names) file(directory, `names/${name}`, name);
  const latin1 = Buffer.concat([Buffer.from(join(directory, 'names')), Buffer.from('/caf\xe9', 'latin1')]);
  writeFileSync(latin1, 'not UTF-8');
  const below = Buffer.concat([Buffer.from(join(directory, 'names')), Buffer.from('/d\xef\xbf', 'latin1')]);
  mkdirSync(below);
  writeFileSync(Buffer.concat([below, Buffer.from('/inside')]), 'below a name that is not UTF-8');
}

function writeLinks(directory: string): void {
  const symlink = (path: string, target: string | Buffer) => symlinkSync(target, join(directory, path));
  mkdirSync(join(directory, 'symlinks'));
  symlink('symlinks/relative', '../README');
  symlink('symlinks/absolute', '/etc/passwd');
  symlink('symlinks/dangling', 'nowhere');
  symlink('symlinks/to-directory', '../files');
  symlink('symlinks/to-nested', '../software');
  symlink('symlinks/loop', 'loop');
  symlink('symlinks/long', 'a/'.repeat(500));
  symlink('symlinks/bytes', Buffer.from('caf\xe9', 'latin1'));
  symlink('symlinks/variant', '$(SAMPLE_VARIANT:-default)/bin');
  symlink('symlinks/variant-plain', '$(SAMPLE_VARIANT)');
  file(directory, 'hardlinks/first', 'three names in one directory\n');
  for (const name of ['second', 'third']) {
    linkSync(join(directory, 'hardlinks/first'), join(directory, 'hardlinks', name));
  }
  file(directory, 'hardlinks/a/across', 'names in two directories\n');
  mkdirSync(join(directory, 'hardlinks/b'));
  linkSync(join(directory, 'hardlinks/a/across'), join(directory, 'hardlinks/b/across'));
}

function writeSpecialFiles(directory: string): void {
  mkdirSync(join(directory, 'special'));
  spawnSync('mkfifo', [join(directory, 'special/fifo')]);
  if (process.getuid?.() !== 0) return;
  spawnSync('mknod', [join(directory, 'special/null'), 'c', '1', '3']);
  spawnSync('mknod', [join(directory, 'special/loop0'), 'b', '7', '0']);
  spawnSync('mknod', [join(directory, 'special/large'), 'b', '259', '65537']);
  chownSync(join(directory, 'files/text'), 1234, 5678);
}

function writeNestedCatalogs(directory: string): void {
  file(directory, 'software/.cvmfscatalog', '');
  file(directory, 'software/tool', 'in the first level\n', 0o755);
  for (const version of ['1.0', '2.0']) {
    file(directory, `software/${version}/.cvmfscatalog`, '');
    file(directory, `software/${version}/bin/run`, `#!/bin/sh\necho ${version}\n`, 0o755);
    file(directory, `software/${version}/data`, pseudoRandom(150_000, Number(version)));
  }
  file(directory, 'data/.cvmfscatalog', '');
  file(directory, 'data/set/values', '1 2 3\n');
}

function setTimes(directory: string): void {
  touchAll(Buffer.from(directory));
  utimesSync(join(directory, 'files/one-byte'), 0, -86_400);
  utimesSync(join(directory, 'files/text'), 0, 5_000_000_000);
  utimesSync(join(directory, 'files/executable'), 0, 1_600_000_000.25);
}

/** Gives everything the same time, deepest first since that changes the time of what is above. */
function touchAll(directory: Buffer): void {
  for (const entry of readdirSync(directory, { encoding: 'buffer', withFileTypes: true })) {
    const path = Buffer.concat([directory, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) touchAll(path);
    else lutimesSync(path, 1_700_000_000, 1_700_000_000);
  }
  utimesSync(directory, 1_700_000_000, 1_700_000_000);
}
