// The commands of docs/offline.md run as they stand: on the login node with the servers, on the node without any network.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { ordinaryUser } from '../support/run-cvmfsexec.ts';
import { prepareSite } from '../support/site.ts';

const GUIDE = join(import.meta.dirname, '../../docs/offline.md');
const NO_NETWORK = ['unshare', '--user', '--map-current-user', '--net'];

const site = prepareSite(test, {
  fqrn: 'sw.example.org',
  writeTree(directory) {
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(directory, version, 'bin'), { recursive: true });
      mkdirSync(join(directory, version, 'share/data/raw'), { recursive: true });
      writeFileSync(join(directory, version, '.cvmfscatalog'), '');
      writeFileSync(join(directory, version, 'bin/tool'), `#!/bin/sh\necho tool of ${version}\n`, { mode: 0o755 });
      writeFileSync(join(directory, version, 'bin/tool.debug'), 'debug\n');
      writeFileSync(join(directory, version, 'share/data/table'), 'table\n');
      writeFileSync(join(directory, version, 'share/data/raw/table'), 'raw table\n');
    }
  },
});
const { place } = site;

/** Its blocks of commands that are meant for `where`. */
function blocks(where: 'login' | 'node' | 'operator once' | 'operator nightly' | 'user'): string[] {
  const text = readFileSync(GUIDE, 'utf8');
  return [...text.matchAll(/^```sh ([\w ]+)\n(.*?)^```$/gms)]
    .filter(([, mark]) => mark === where)
    .map(([, , body]) => body);
}

/** Runs commands of the guide, /shared and /scratch being below `shared`. */
async function run(commands: string, shared: string, wrapper: readonly string[] = []) {
  const script = commands.replace(/\/(shared|scratch)\/(cvmfs|site)/g, (path) => shared + path);
  const [file, ...rest] = [...ordinaryUser.prefix, ...wrapper, 'sh', '-ec', script];
  return execa(file, rest, {
    cwd: shared,
    extendEnv: false,
    reject: false,
    timeout: 60_000,
    env: {
      PATH: `${join(place.program, '..')}:${process.env.PATH}`,
      CVMFS_SERVER_URL: `${site.server.url}/@fqrn@`,
      CVMFS_KEYS_DIR: site.repository.clientKeys,
      CVMFS_HTTP_PROXY: 'DIRECT',
      CVMFS_CACHE_BASE: `${shared}/own-cache`,
    },
  });
}

const [job] = blocks('node');

for (const [index, name] of ['a recorded job', 'a list of patterns', 'a subtree', 'an archive'].entries()) {
  test.serial(`the guide's commands for ${name} lead to a job that runs without network`, async (t) => {
    const shared = place.newPath();
    mkdirSync(shared, { mode: 0o777 });
    await execa('chmod', ['777', shared]);
    const filled = await run(blocks('login')[index], shared);
    t.is(filled.exitCode, 0, `${filled.stderr}`);
    t.is(filled.stderr, '');
    const where = name === 'an archive' ? job.replace('/shared/cvmfs', '/scratch/cvmfs') : job;
    const { stdout, stderr, exitCode } = await run(where, shared, NO_NETWORK);
    t.is(stderr, '');
    t.is(stdout, 'tool of v1');
    t.is(exitCode, 0);
  });
}

test.serial(
  'what the operator sets up serves users without network, and follows what is wanted and published',
  async (t) => {
    const shared = place.newPath();
    mkdirSync(shared, { mode: 0o777 });
    await execa('chmod', ['777', shared]);
    const [once] = blocks('operator once');
    const [nightly] = blocks('operator nightly');
    const [user] = blocks('user');
    for (const commands of [once, nightly]) {
      const { stderr, exitCode } = await run(commands, shared);
      t.is(stderr, '');
      t.is(exitCode, 0);
    }
    t.is((await run(user, shared, NO_NETWORK)).stdout, 'tool of v1');
    const other = user.replaceAll('/v1/', '/v2/');
    t.regex((await run(other, shared, NO_NETWORK)).stderr, /v2\/bin\/tool/, 'not wanted yet');
    const more = await run("printf '/v2/bin\\n' >>/shared/site/wanted/sw.example.org", shared);
    t.is(more.exitCode, 0, more.stderr);
    writeFileSync(join(site.repository.tree, 'v1/bin/tool'), '#!/bin/sh\necho newer tool\n', { mode: 0o755 });
    await site.repository.publish();
    t.is((await run(nightly, shared)).exitCode, 0);
    t.is((await run(user, shared, NO_NETWORK)).stdout, 'newer tool');
    t.is((await run(other, shared, NO_NETWORK)).stdout, 'tool of v2');
  },
);

test('the guide has a block of commands for each way', (t) => {
  t.is(blocks('login').length, 4);
  t.is(blocks('node').length, 1);
});
