// `npm run benchmark:images`: how long it takes until Python has imported json inside an image, by cvmfsexec --image and by
// apptainer, on the same image. As root: both run in a Debian sid of their own, which has apptainer, as an ordinary user.
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apptainerRoot } from '../test/support/apptainer-root.ts';
import { TestServer } from '../test/support/http-server.ts';
import { user } from '../test/support/ordinary-user.ts';
import { pythonRoot } from '../test/support/python-root.ts';
import { makeTestRepository } from '../test/support/repository.ts';
import { Installation } from '../test/support/run-cvmfsexec.ts';
import { loadAverage } from './machine.ts';
import { median } from './statistics.ts';

const FQRN = 'images.example.org';

/** Prints `NAME MILLISECONDS` for every run; the contestants take turns. $1: how often; `own`, `by_apptainer`: see below. */
const RACE = `
time_of() { name=$1; shift; begin=$(date +%s%N); "$@" >/dev/null || exit; echo "$name $((($(date +%s%N) - begin) / 1000000))"; }
in_image() { cache=$1 image=$2; shift 2; $EXEC -o CVMFS_CACHE_BASE=$cache --image $image -- "$@"; }
by_apptainer() { cache=$1; shift; $EXEC -o CVMFS_CACHE_BASE=$cache ${FQRN} -- apptainer -q exec $IMAGE "$@"; }
without_image() { cache=$1; shift; $EXEC -o CVMFS_CACHE_BASE=$cache ${FQRN} -- "$@"; }
json() { "$@" python3 -c 'import json; print(1)'; }
for i in $(seq "$1"); do
  rm -rf /tmp/a /tmp/b
  time_of 'image cold' json in_image /tmp/a $IMAGE
  time_of 'apptainer cold' json by_apptainer /tmp/b
  time_of 'image hot' json in_image /tmp/a $IMAGE
  time_of 'apptainer hot' json by_apptainer /tmp/b
  time_of 'image directory' json in_image /tmp/a $TREE
  time_of 'apptainer directory' json apptainer -q exec $TREE
  time_of 'image true' in_image /tmp/a $IMAGE true
  time_of 'none true' without_image /tmp/a true
done`;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const sid = apptainerRoot();
const python = pythonRoot();
if ('missing' in sid || 'missing' in python) {
  console.error(`benchmark: ${'missing' in sid ? sid.missing : 'missing' in python ? python.missing : ''}`);
  process.exit(1);
}
const place = new Installation();
try {
  rmSync(place.node); // a link to where the ordinary user cannot go in there
  copyFileSync(process.execPath, place.node);
  const tree = join(place.directory, 'image');
  copyImage(python.directory, tree);
  const repository = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map(),
    writeTree: (directory) => {
      copyImage(python.directory, join(directory, 'image'));
      writeFileSync(join(directory, 'image/.cvmfscatalog'), '');
    },
  });
  const server = await TestServer.start({ root: repository.serverRoot });
  try {
    const keys = join(place.directory, 'keys');
    cpSync(repository.clientKeys, keys, { recursive: true });
    const parameters = [`SERVER_URL=${server.url}/@fqrn@`, `KEYS_DIR=${keys}`, 'HTTP_PROXY=DIRECT'];
    const exec = [place.program, ...parameters.map((parameter) => `-o CVMFS_${parameter}`)].join(' ');
    const setup = `EXEC="${exec}" IMAGE=/cvmfs/${FQRN}/image TREE=${tree}\n`;
    const inRoot = join(import.meta.dirname, '../test/support/in-root.sh');
    const words = [
      'sh',
      inRoot,
      sid.directory,
      user.name,
      place.directory,
      'sh',
      '-c',
      setup + RACE,
      'sh',
      values.rounds,
    ];
    const { stdout, stderr, exitCode } = await place.command(words, {
      as: { name: 'root', uid: 0, gid: 0, prefix: [] },
      limit: 900,
    });
    if (exitCode !== 0) throw new Error(`the race ended with ${exitCode}: ${stderr}`);
    process.stdout.write(report(stdout));
    console.error(`load average: ${loadAverage()}`);
  } finally {
    await server.close();
    repository.remove();
  }
} finally {
  await place.close();
}

function copyImage(from: string, to: string): void {
  mkdirSync(to);
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !['/dev/', '/var/cache/apt/', '/var/lib/apt/lists/'].some((part) => path.startsWith(from + part)),
  });
}

function report(lines: string): string {
  const figures = new Map<string, number[]>();
  for (const line of lines.trim().split('\n')) {
    const [, name, value] = /^(.*) (\d+)$/.exec(line) ?? [];
    figures.set(name, [...(figures.get(name) ?? []), Number(value)]);
  }
  const cell = (name: string) => {
    const values = figures.get(name) ?? [];
    return `${median(values)} ms (${Math.min(...values)})`;
  };
  return [
    '| | `cvmfsexec --image` | apptainer | without an image |',
    '| --- | --- | --- | --- |',
    `| \`python3 -c 'import json'\`, image in a repository, empty cache | ${cell('image cold')} | ${cell('apptainer cold')} | |`,
    `| the same, full cache | ${cell('image hot')} | ${cell('apptainer hot')} | |`,
    `| the same, image in a directory | ${cell('image directory')} | ${cell('apptainer directory')} | |`,
    `| \`true\`, full cache | ${cell('image true')} | | ${cell('none true')} |`,
    '',
  ].join('\n');
}
