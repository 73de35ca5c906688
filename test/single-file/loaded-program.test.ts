import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nodeCommand } from '../../src/download/pac/node-command.ts';
import { readElf } from '../../src/single-file/elf.ts';
import { loadedProgram, nodeIn, ownNode } from '../../src/single-file/loaded-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'loaded-program-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

const unpacked = join(directory, 'node');
test.before(() => {
  const { content, libraries } = ownNode();
  mkdirSync(join(unpacked, 'bin'), { recursive: true });
  mkdirSync(join(unpacked, 'lib'));
  writeFileSync(join(unpacked, 'bin/node'), content, { mode: 0o755 });
  for (const [name, path] of libraries) {
    copyFileSync(path, join(unpacked, 'lib', name));
    chmodSync(join(unpacked, 'lib', name), 0o755);
  }
});

const PROGRAM = 'console.log(process.execPath, new Intl.NumberFormat("de").format(1e6), fetch.name)';

test('a Node without its symbols runs by the loader beside it, and so does another one that it starts', (t) => {
  const { loader, machine } = nodeIn(unpacked);
  const path = join(unpacked, 'lib', loader);
  // While a launch moves the root, the kernel may say so.
  const [program, ...words] = nodeCommand({ execPath: `/cvmfs${path}`, argv0: join(unpacked, 'bin/node') });
  const run = (env: Record<string, string>) =>
    execFileSync(program, [...words, '-e', PROGRAM], { encoding: 'utf8', env });
  t.is(run({}), `${path} 1.000.000 fetch\n`);
  t.is(run({ LD_LIBRARY_PATH: '/nonexistent' }), `${path} 1.000.000 fetch\n`);
  t.is(machine, execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim());
  t.true(statSync(join(unpacked, 'bin/node')).size < statSync(process.execPath).size || !isLarge(process.execPath));
});

/** It has symbols, as the ones from nodejs.org. */
function isLarge(path: string): boolean {
  const file = readFileSync(path);
  return file.length > readElf(file)!.mappedSize + 4096;
}

test('a Node that runs without a loader of its own is started by its path', (t) => {
  t.deepEqual(nodeCommand({ execPath: '/cvmfs/usr/bin/node', argv0: '/usr/bin/node' }), ['/usr/bin/node']);
  t.deepEqual(nodeCommand({ execPath: '/usr/bin/node', argv0: 'node' }), ['/usr/bin/node']);
});

test('libraries for another machine are refused, and so is what is no program', (t) => {
  const other = join(directory, 'other');
  mkdirSync(join(other, 'bin'), { recursive: true });
  copyFileSync('/bin/echo', join(other, 'bin/node'));
  const echo = loadedProgram('/bin/echo');
  mkdirSync(join(other, 'lib'));
  for (const [name, path] of echo.libraries) {
    const library = readFileSync(path);
    library.writeUInt16LE(library.readUInt16LE(18) === 62 ? 183 : 62, 18);
    writeFileSync(join(other, 'lib', name), library);
  }
  t.throws(() => nodeIn(other), { code: 'BAD_INPUT', message: /is not for \w+, as .*bin\/node is/ });
  t.throws(() => loadedProgram('/etc/passwd'), { code: 'BAD_INPUT', message: /is no program/ });
  t.throws(() => loadedProgram('/nonexistent'), { code: 'BAD_INPUT', message: /ENOENT/ });
});
