// The same programs on overlays of both engines and on a plain directory. Every difference is listed here, and explained in
// docs/overlays.md.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, lchownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { apptainerRoot } from '../support/apptainer-root.ts';
import { isRoot } from '../support/ordinary-user.ts';
import { writeOverlayTree } from '../support/overlay-tree.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, ordinaryUser } from '../support/run-cvmfsexec.ts';

const place = new Installation();
const program = join(place.directory, 'posix-behaviour.py');
let repository: TestRepository;
let plain: ReadonlyMap<string, string>;

test.before(async () => {
  copyFileSync(join(import.meta.dirname, '../support/posix-behaviour.py'), program);
  repository = await makeTestRepository({
    fqrn: 'overlay.example.org',
    writeTree: writeOverlayTree,
    xattrs: new Map(),
  });
  const directory = place.newPath();
  mkdirSync(directory);
  writeOverlayTree(directory);
  if (isRoot) giveAway(directory);
  const { stdout, stderr } = await place.command(['/usr/bin/python3', program, directory]);
  if (stderr) throw new Error(stderr);
  plain = outcomes(stdout);
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

function giveAway(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), ordinaryUser.uid, ordinaryUser.gid);
  }
  lchownSync(directory, ordinaryUser.uid, ordinaryUser.gid);
}

function outcomes(text: string): Map<string, string> {
  return new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/: (.*)/) as [string, string]),
  );
}

/** What is other than in a plain directory. */
async function differences(options: readonly string[], of = ''): Promise<Record<string, string>> {
  const { stdout, stderr } = await place.run({
    repositories: [],
    parameters: { SERVER_URL: `file://${repository.serverRoot}/@fqrn@`, KEYS_DIR: repository.clientKeys },
    options: ['--overlay', `${repository.fqrn}${of}`, ...options],
    command: ['/usr/bin/python3', program, `/cvmfs/${repository.fqrn}`],
  });
  const found = outcomes(stdout);
  if (found.size !== plain.size) throw new Error(`${found.size} of ${plain.size} outcomes: ${stderr}`);
  return Object.fromEntries([...found].filter(([name, outcome]) => plain.get(name) !== outcome));
}

/** fuse-overlayfs of another Debian with its loader and libraries: runs here, too. */
function foreignProgram(root: string): string {
  const directory = join(place.directory, 'foreign');
  mkdirSync(directory);
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const files: [string, string][] = [
    [join(root, 'usr/bin/fuse-overlayfs'), 'program'],
    [join(libraries, 'ld-linux-x86-64.so.2'), 'loader'],
    ...readdirSync(libraries)
      .filter((name) => /^lib(c|fuse3)\.so\.\d+$/.test(name))
      .map((name): [string, string] => [join(libraries, name), name]),
  ];
  for (const [from, to] of files) {
    copyFileSync(from, join(directory, to));
    chmodSync(join(directory, to), 0o755);
  }
  const script = `#!/bin/sh\nexec ${directory}/loader --library-path ${directory} ${directory}/program "$@"\n`;
  writeFileSync(join(directory, 'fuse-overlayfs'), script, { mode: 0o755 });
  return join(directory, 'fuse-overlayfs');
}

const EVERYWHERE = {
  // A directory of the repository cannot be renamed (mv copies it).
  rename_published_directory: "'EXDEV'",
  // An owner that does not exist in the job's user namespace.
  owner: "(True, 'OK', 'EINVAL')",
};
const FUSE = {
  ...EVERYWHERE,
  // A deleted name below is found again by whoever asks for it by name.
  directory_in_place_of_a_removed_one: "([], 'OK')",
  unlinked_open_file: "('unlinkedunlinked+', 1)",
  file_without_name: "'ENOTSUP'",
  names: "('ENAMETOOLONG', 'ENAMETOOLONG', True)",
  name_like_a_mark: "('EINVAL', False)",
};

/**
 * Whether published hard links are one file to fuse-overlayfs depends on what it has looked at before, differently from
 * run to run: `also` is what it does then.
 */
function withoutLinks(
  also: readonly string[],
  { published_hard_links_share_changes: links, ...others }: Record<string, string>,
) {
  return links === undefined || also.includes(links)
    ? others
    : { ...others, published_hard_links_share_changes: links };
}

const COUNTED_AS_ONE = '(1, 1, True)';
const SEPARATED = '(1, 1, False)';

test('a plain directory does what the differences are counted from', (t) => {
  t.deepEqual(
    [...plain].filter(([, outcome]) => outcome.startsWith("'failed")),
    [],
  );
  t.true(plain.size > 40);
});

test.serial("the kernel's overlay: what is other than in a plain directory", async (t) => {
  t.deepEqual(await differences(['--overlay-engine', 'kernel']), {
    ...EVERYWHERE,
    hard_link_to_published_file: "(2, False, 'linklink+')",
    published_hard_links_share_changes: '(2, 1, False)',
    inode_number_in_listing: 'False',
    one_device: 'False',
  });
});

test.serial('fuse-overlayfs 1.10: what is other than in a plain directory', async (t) => {
  const version = execFileSync('fuse-overlayfs', ['--version'], { encoding: 'utf8' });
  if (!/version 1\.10/.test(version)) return t.pass(`skipped, this is another: ${version}`);
  const words = ['--overlay-engine', 'fuse'];
  t.deepEqual(withoutLinks([COUNTED_AS_ONE], await differences(words)), FUSE);
  t.deepEqual(withoutLinks([COUNTED_AS_ONE, SEPARATED], await differences(words, `:${place.newPath()}`)), {
    ...FUSE,
    open_file_sees_later_change: "'openedopened'",
  });
});

const root = apptainerRoot();
const withForeign =
  'directory' in root && existsSync(join(root.directory, 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'))
    ? test.serial
    : test.serial.skip;

withForeign("Debian sid's fuse-overlayfs: what is other than in a plain directory", async (t) => {
  const words = [
    '--overlay-engine',
    'fuse',
    '--fuse-overlayfs',
    foreignProgram('directory' in root ? root.directory : ''),
  ];
  t.deepEqual(withoutLinks([COUNTED_AS_ONE], await differences(words)), {
    ...FUSE,
    attribute_named_as_the_marks: "'EPERM'",
  });
});
