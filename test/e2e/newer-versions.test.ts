// What clients newer than 2.12 have: file bundles, symlinks that the kernel keeps.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { prepareSite } from '../support/site.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'newer.example.org';
const OBJECT = /\/data\/..\/[0-9a-f]{38}P?$/;
const LIBRARIES = 20;

const site = prepareSite(test, {
  fqrn: FQRN,
  writeTree(directory) {
    mkdirSync(join(directory, 'bin'));
    mkdirSync(join(directory, 'lib'));
    writeFileSync(join(directory, 'lib/.cvmfscatalog'), '');
    writeFileSync(join(directory, 'bin/tool'), 'trigger\n');
    writeFileSync(join(directory, 'bin/other'), 'no trigger\n');
    const libraries = Array.from({ length: LIBRARIES }, (_, i) => `/lib/lib${i}`);
    for (const library of libraries) writeFileSync(join(directory, library), `${library}\n`.repeat(20));
    writeFileSync(join(directory, 'lib/chunked'), pseudoRandom(200_000, 3));
    writeFileSync(join(directory, 'bin/beside'), 'beside\n');
    const dependencies = [...libraries, '/lib/chunked', './beside', '/lib/missing'];
    const bundle = { name: 'CVMFS_BUNDLE', version: '1.0.0', encoding: 'UTF-8', dependencies };
    writeFileSync(join(directory, 'bin/.cvmfsbundle-tool'), JSON.stringify(bundle));
    writeFileSync(join(directory, 'bin/broken'), 'broken\n');
    writeFileSync(join(directory, 'bin/.cvmfsbundle-broken'), 'no JSON');
    symlinkSync('bin/tool', join(directory, 'link'));
  },
});
const { place } = site;

function run(script: string, parameters: Readonly<Record<string, string>> = {}, debug = false) {
  site.server.requests.length = 0;
  return place.run({
    repositories: [FQRN],
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
    parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repository.clientKeys, ...parameters },
    debug,
  });
}

const PREFETCH = { PREFETCH_FILEBUNDLES: 'yes' };

test.serial('reading a trigger fetches what its bundle lists, across catalogs, chunks included', async (t) => {
  const { stdout, stderr } = await run('cat bin/tool; sleep 2', PREFETCH);
  t.is(stdout, 'trigger\n');
  t.is(stderr, '');
  const chunks = site.server.paths(/\/data\/..\/[0-9a-f]{38}P$/).length;
  t.true(chunks >= 3);
  // The trigger, the bundle, the libraries, and the one beside.
  t.is(site.server.paths(OBJECT).length - chunks, 2 + LIBRARIES + 1);
});

test.serial('a program that reads all of them then waits for the network a few times only', async (t) => {
  const cache = place.newPath();
  site.server.latency = 100;
  t.teardown(() => {
    site.server.latency = 0;
  });
  const script = 'cat bin/tool >/dev/null; sleep 2; time -p cat bin/beside lib/* >/dev/null';
  const { stderr } = await run(`bash -c '${script}'`, { ...PREFETCH, CACHE_BASE: cache });
  const [, seconds] = /^real (\S+)$/m.exec(stderr) ?? [];
  t.true(Number(seconds) < (LIBRARIES * 100) / 1000, stderr);
});

test.serial('without the parameter, and for a file that is no trigger, nothing is fetched ahead', async (t) => {
  await run('cat bin/tool; sleep 1');
  t.is(site.server.paths(OBJECT).length, 1);
  await run('cat bin/other; sleep 1', PREFETCH);
  t.is(site.server.paths(OBJECT).length, 1);
});

test.serial('a bundle that cannot be used is told, and the file is read all the same', async (t) => {
  const { stdout, stderr } = await run('cat bin/broken; sleep 1', PREFETCH);
  t.is(stdout, 'broken\n');
  t.regex(stderr, /cannot use the bundle \/bin\/\.cvmfsbundle-broken: it is no JSON/);
});

test.serial('user.bundle_trigger tells which files are triggers', async (t) => {
  const { stdout } = await run('getfattr --only-values -n user.bundle_trigger bin/tool bin/other 2>&1');
  t.is(stdout, '10');
});

test.serial('the kernel asks for the target of a symlink once', async (t) => {
  const { stdout, stderr } = await run('for i in 1 2 3 4 5; do readlink link; cat link; done', {}, true);
  t.is(stdout, 'bin/tool\ntrigger\n'.repeat(5));
  t.is(stderr.split('\n').filter((line) => / -> READLINK /.test(line)).length, 1);
});
