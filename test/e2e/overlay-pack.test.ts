// From changes in a job to the next revision: `diff`, `pack`, `cvmfs-publish ingest`, and what a mount then shows.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { ingest } from '../../src/publish/ingest.ts';
import { writeOverlayTree } from '../support/overlay-tree.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, type Outcome } from '../support/run-cvmfsexec.ts';

const place = new Installation();
test.after.always(() => place.close());

function job(repository: TestRepository, script: string, options: readonly string[] = []): Promise<Outcome> {
  return place.run({
    repositories: [repository.fqrn],
    parameters: { SERVER_URL: `file://${repository.serverRoot}/@fqrn@`, KEYS_DIR: repository.clientKeys },
    options,
    command: ['sh', '-c', `cd /cvmfs/${repository.fqrn} && ${script}`],
    limit: 60,
  });
}

/** Everything that can be seen but the root's own attributes. */
const SHOW = `find . -mindepth 1 ! -type d -printf '%P\\t%y %m %s %l %T@\\n' -o -mindepth 1 -printf '%P\\t%y %m %T@\\n' | LC_ALL=C sort
  find . -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum; getfattr -R -h -d -m '^user\\.test' . | LC_ALL=C sort`;
const CHANGE = `echo new >text/new; echo more >>text/line; rm text/other; rm -r tree; mkdir tree; echo 1 >tree/one
  rm -r nested/inner; mkdir -p nested/inner/b; echo n >nested/inner/b/c; rm -r c/kind-dir; echo f >c/kind-dir
  rm c/kind-file; mkdir c/kind-file; ln c/link c/link2; ln -s nowhere text/dangling; ln -sf other text/link
  chmod 700 c/move; mv c/rename c/renamed; mv c/move2 c/moved2; for i in 1 2 3 4 5 6 7 8 9; do rm many/$i; done; mkfifo c/pipe
  printf odd >"$(printf 'c/caf\\351 \\n"q')"; touch -d @1234567890.123456789 text/new
  head -c 3000000 /dev/urandom >c/large; setfattr -n user.test -v value c/xattr; setfattr -n user.test -v d c/move; mkdir empty;`;

for (const engine of ['kernel', 'fuse']) {
  test.serial(`${engine}: what a job has changed is packed, published, and then as the job saw it`, async (t) => {
    const repository = await makeTestRepository({
      fqrn: 'pack.example.org',
      writeTree: writeOverlayTree,
      xattrs: new Map(),
      chunkSizes: { min: 300_000, average: 600_000, max: 1_200_000 },
    });
    t.teardown(() => repository.remove());
    const kept = place.newPath();
    const options = ['--overlay', `${repository.fqrn}:${kept}`, '--overlay-engine', engine];
    const changed = await job(repository, CHANGE, options);
    t.is(changed.stderr, '');
    t.is(changed.exitCode, 0);
    const seen = await job(repository, SHOW, options);
    t.is(seen.stderr, '');

    const { stdout: listed, stderr } = await place.runTool(['diff', kept]);
    t.is(stderr, '');
    const lines = listed.split('\n');
    for (const line of ['A  text/new', 'M  text/line', 'D  text/other', 'AO tree/', 'A  tree/one', 'AO c/kind-file/']) {
      t.true(lines.includes(line), `${line}: ${listed}`);
    }
    t.true(lines.includes('A  "c/caf\\351 \\012\\"q"'), listed);
    t.deepEqual(
      lines.filter((line) => line.includes('many')),
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `D  many/${i}`),
    );
    const objects = (await place.runTool(['diff', '--json', kept])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.deepEqual(
      objects.find(({ path }) => path === 'text/other'),
      { change: 'deleted', path: 'text/other' },
    );
    t.deepEqual(
      objects.find(({ path }) => path === 'text/new'),
      { change: 'added', path: 'text/new', type: 'file', mode: 0o644, size: 4 },
    );
    t.is(objects.length, lines.length - 1);
    const base64 = objects.find(({ pathBase64 }) => pathBase64)?.pathBase64;
    t.is(Buffer.from(base64, 'base64').toString('latin1'), 'c/caf\xe9 \n"q');

    const archive = `${place.newPath()}.tar`;
    t.is((await place.runTool(['pack', kept, '-o', archive])).stderr, '');
    await place.runTool(['pack', kept, '-o', `${archive}.again`]);
    t.true(readFileSync(archive).equals(readFileSync(`${archive}.again`)), 'the same changes, the same archive');
    t.regex(execFileSync('tar', ['-tvf', archive], { encoding: 'utf8' }), /-rw-r--r-- 0\/0 .* text\/\.wh\.other\n/);

    const { directory, keysDirectory } = repository;
    const { changed: isNew } = await ingest({ directory, keysDirectory }, archive, { durable: false });
    t.true(isNew);
    const shown = await job(repository, SHOW);
    t.is(shown.stderr, '');
    const [before, after] = [seen, shown].map(({ stdout }) => new Set(stdout.split('\n')));
    const differing = [...before, ...after].filter((line) => !before.has(line) || !after.has(line));
    t.deepEqual(differing, []);
    t.true(after.size > 5000);
  });
}
