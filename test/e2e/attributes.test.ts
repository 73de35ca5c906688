// Extended attributes and logs of real mounts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, type Launch, ordinaryUser } from '../support/run-cvmfsexec.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'attributes.example.org';
const place = new Installation();
let repository: TestRepository;
let server: TestServer;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    xattrs: new Map([['/one', { 'user.published': Buffer.from('by hand') }]]),
    writeTree(directory) {
      writeFileSync(join(directory, 'one'), 'one\n');
      writeFileSync(join(directory, 'lost'), 'lost\n');
      writeFileSync(join(directory, 'chunked'), pseudoRandom(200_000, 3));
      mkdirSync(join(directory, 'nested'));
      writeFileSync(join(directory, 'nested/.cvmfscatalog'), '');
    },
  });
  server = await TestServer.start({ root: repository.serverRoot });
});
test.after.always(async () => {
  await place.close();
  await server?.close();
  repository?.remove();
});

const hasGetfattr = spawnSync('getfattr', ['--version']).status === 0;
const withGetfattr = hasGetfattr ? test.serial : test.serial.skip;

function launch(script: string, parameters: Record<string, string> = {}): Launch {
  return {
    repositories: [FQRN],
    parameters: {
      SERVER_URL: `${server.url}/@fqrn@`,
      KEYS_DIR: repository.clientKeys,
      MAX_RETRIES: '0',
      ...parameters,
    },
    command: ['sh', '-c', `cd /cvmfs/${FQRN}; ${script}`],
  };
}

/** Prints the value and a line with `--`. */
const get = (name: string, path = '.') => `getfattr --only-values -n '${name}' ${path} 2>&1; echo; echo --`;

withGetfattr('attributes are read by name and with pages', async (t) => {
  const wanted: [expected: string | RegExp, name: string, path?: string][] = [
    [FQRN, 'user.fqrn'],
    ['1', 'user.revision', 'nested'],
    [/^[2-9]\d*$/, 'user.chunks', 'chunked'],
    [/^hash,offset,size\n[0-9a-f]{40},0,\d+\n/, 'user.chunk_list', 'chunked'],
    ['num_pages, 1', 'user.chunk_list~?', 'chunked'],
    [/^# Access page at idx: 0\. Total num pages: 1 .*\nhash,/, 'user.chunk_list@0', 'chunked'],
    [/No such attribute/, 'user.chunk_list~1', 'chunked'],
    [/No such attribute/, 'user.chunks', 'nested'],
    ['by hand', 'user.published', 'one'],
    ['2.12.0.0', 'user.version'],
    [`${server.url}/${FQRN}`, 'user.host'],
    ['DIRECT\n', 'user.proxy_list'],
    [/^-----BEGIN PUBLIC KEY-----\n/, 'user.pubkeys'],
    [/^catalog_hash: [0-9a-f]{40}\ncatalog_mountpoint: \/nested\n/, 'user.catalog_counters', 'nested'],
    ['metainfo not available', 'user.repo_metainfo'],
    [/^(never \(fixed root catalog\)|\d+)$/, 'user.expires'],
    ['', 'user.tag'],
    ['0', 'user.nioerr'],
  ];
  const { stdout, stderr } = await place.run(launch(wanted.map(([, name, path]) => get(name, path)).join('; ')));
  t.is(stderr, '');
  const values = stdout.split('\n--\n');
  for (const [i, [expected, name]] of wanted.entries()) {
    if (typeof expected === 'string') t.is(values[i], expected, name);
    else t.regex(values[i], expected, name);
  }
});

withGetfattr('lists: the client’s own on the root only, or as configured', async (t) => {
  const script = 'for f in . one nested; do getfattr -d -m - $f | grep -c "^user"; done';
  const counts = async (parameters = {}) => (await place.run(launch(script, parameters))).stdout.trim().split('\n');
  const [root, one, nested] = (await counts()).map(Number);
  t.true(root > 30);
  t.deepEqual([one, nested], [1, 0]);
  t.deepEqual(await counts({ MAGIC_XATTRS_VISIBILITY: 'Never' }), ['0', '1', '0']);
  const everywhere = (await counts({ HIDE_MAGIC_XATTRS: 'no' })).map(Number);
  t.true(everywhere.every((count) => count > 30));
});

withGetfattr('protected attributes: the group is that of the user outside, not what it is called inside', async (t) => {
  const script = `${get('user.host')}; ${get('user.fqrn')}`;
  const protect = (groups: string) =>
    launch(script, { XATTR_PROTECTED_XATTRS: 'user.host', XATTR_PRIVILEGED_GIDS: groups });
  const refused = await place.run(protect('4711'));
  t.regex(refused.stdout, new RegExp(`user.host: No such attribute[^]*--\n${FQRN}\n`));
  const allowed = await place.run(protect(`4711,${ordinaryUser.gid}`));
  t.true(allowed.stdout.startsWith(`${server.url}/${FQRN}\n`), allowed.stdout);
});

test.serial('a job that sees EIO finds the reason on stderr, in the log and in user.logbuffer', async (t) => {
  const broken = await TestServer.start({ root: repository.serverRoot });
  t.teardown(() => broken.close());
  const [log, debug] = [place.newPath(), place.newPath()];
  const parameters = { SERVER_URL: `${broken.url}/@fqrn@`, USYSLOG: log, DEBUGLOG: debug, SYSLOG_PREFIX: 'mine' };
  const job = place.start(
    launch(`cat one; read x; cat lost; getfattr --only-values -n user.logbuffer . ; ${get('user.nioerr')}`, parameters),
  );
  job.stdout?.once('data', () => {
    broken.fault(/\/data\//, { status: 500 });
    job.stdin?.end('\n');
  });
  const { stdout, stderr } = await job;
  const reason = /cannot download \/lost: .*500/;
  t.regex(String(stderr), reason);
  t.regex(String(stderr), /lost: Input\/output error/);
  const lines = readFileSync(log, 'utf8').split('\n');
  t.true(lines.some((line) => reason.test(line) && / \d{4} \(mine\) /.test(line)));
  t.true(lines.some((line) => line.endsWith(`(mine) CernVM-FS: linking /cvmfs/${FQRN} to repository ${FQRN}`)));
  t.regex(readFileSync(debug, 'utf8'), /^\(fuse stub\) .*LOOKUP.* {4}\[/m);
  if (hasGetfattr) t.regex(String(stdout), /^\[.*\] cannot download \/lost: .*\n[12]\n--/m);
});
