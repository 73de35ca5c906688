// What a mounted repository looks like to programs, what the kernel keeps of it, and how many can use it at once.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parseManifest } from '../../src/repository/manifest.ts';
import { identities, type Launch, type Outcome } from '../support/run-cvmfsexec.ts';
import { prepareSite } from '../support/site.ts';
import { SAMPLE_XATTRS, writeSampleTree } from '../support/tree-sample.ts';

const FQRN = 'kernel.example.org';

const site = prepareSite(test, {
  fqrn: FQRN,
  xattrs: SAMPLE_XATTRS,
  writeTree(directory) {
    writeSampleTree(directory);
    mkdirSync(join(directory, 'calls/deep/er'), { recursive: true });
    writeFileSync(join(directory, 'calls/hello'), 'hello world\n');
    writeFileSync(join(directory, 'calls/script'), '#!/bin/sh\n', { mode: 0o755 });
  },
});
const { place } = site;

/** Runs `script` in the root of the mount. */
function launch(script: string, more: Partial<Launch> & { readonly cache?: string } = {}): Launch {
  const { cache = place.newPath(), as = identities[0] } = more;
  return {
    repositories: [FQRN],
    command: ['sh', '-c', `cd /cvmfs/${FQRN} && { ${script}; }`],
    ...more,
    parameters: {
      SERVER_URL: `${site.server.url}/@fqrn@`,
      KEYS_DIR: site.repository.clientKeys,
      CACHE_BASE: cache,
      CLAIM_OWNERSHIP: as.name === 'root' ? 'no' : 'yes',
    },
  };
}

/** SHA-256 of every regular file, by path. */
const DIGESTS = 'find . -type f -print0 | sort -z | xargs -0 sha256sum -z';

function expectedDigests(): string {
  const files = site.repository.listing().filter(({ type }) => type === 'file');
  const lines = files.map(({ sha256, path, path_b64 }) => {
    const name = path_b64 ? Buffer.from(path_b64, 'base64') : Buffer.from(path);
    return { name, line: Buffer.concat([Buffer.from(`${sha256}  .`), name, Buffer.of(0)]) };
  });
  lines.sort((a, b) => Buffer.compare(a.name, b.name));
  return createHash('sha256')
    .update(Buffer.concat(lines.map(({ line }) => line)))
    .digest('hex');
}

const DIGEST_OF_ALL = `LC_ALL=C; export LC_ALL; ${DIGESTS} | sha256sum | cut -d" " -f1`;

/** Requests to the file system after the n-th mark that the script wrote and before the next, by opcode. */
function requestsAfterMark({ stderr }: Outcome, number: number): string[] {
  const part = stderr.split('= mark\n')[number];
  const opcodes = part.split('\n').map((line) => / -> (\w+) /.exec(line)?.[1] ?? '');
  return opcodes.filter((opcode) => opcode !== '' && !opcode.endsWith('FORGET'));
}

const MARK = 'echo "= mark" >&2';

for (const as of identities) {
  test.serial(`${as.name}: a second find -ls in the same mount reaches the server with no request`, async (t) => {
    const find = 'find . -ls | sort | sha256sum';
    const script = `${find}; ${MARK}; ${find}; ${MARK}; ls -lR >/dev/null; ${MARK}`;
    const outcome = await place.run(launch(script, { as, debug: true }));
    const [first, second] = outcome.stdout.split('\n');
    t.is(first, second);
    t.regex(outcome.stderr, / -> READDIRPLUS /);
    // find asks once for the type of the file system, ls for labels: no kernel keeps these answers.
    const [byFind, byLs] = [requestsAfterMark(outcome, 1), requestsAfterMark(outcome, 2)];
    t.true(byFind.length <= 1 && byFind.every((opcode) => opcode === 'STATFS'), `${byFind}`);
    t.true(byLs.length <= 2 && byLs.every((opcode) => opcode === 'GETXATTR'), `${byLs}`);
  });

  test.serial(
    `${as.name}: files and links that were read, and names that do not exist, stay in the kernel`,
    async (t) => {
      const read = `cat files/* software/*/data | sha256sum; readlink symlinks/*; ls missing files/missing 2>/dev/null`;
      const outcome = await place.run(launch(`${read}; ${MARK}; ${read}; ${MARK}`, { as, debug: true }));
      const lines = outcome.stdout.split('\n').slice(0, -1);
      t.deepEqual(lines.slice(0, lines.length / 2), lines.slice(lines.length / 2));
      t.regex(outcome.stderr, / -> READ /);
      t.deepEqual(requestsAfterMark(outcome, 1), []);
    },
  );

  test.serial(`${as.name}: what a read-only file system refuses is refused with EROFS`, async (t) => {
    const calls = place.bundle('test/fuse/system-calls.ts');
    const { stdout, stderr } = await place.run({
      ...launch('', { as }),
      command: [place.node, calls, `/cvmfs/${FQRN}/calls`],
    });
    const results: Record<string, string> = JSON.parse(stdout || '{}');
    const others = Object.entries(results).filter(([, result]) => result !== 'EROFS');
    t.deepEqual(
      Object.fromEntries(others),
      {
        'open O_RDONLY': 'ok',
        'open O_CREAT of an existing file': 'ok',
        'mkdir of an existing name': 'EEXIST',
        'access R_OK': 'ok',
        'access X_OK of a plain file': 'EACCES',
        'access X_OK of a program': 'ok',
        fsync: 'ok',
      },
      stderr,
    );
    t.true(Object.keys(results).length >= 25);
    const more =
      'mkfifo calls/fifo; mv calls/hello calls/hello2; setfattr -n user.x -v y calls/hello; touch calls/hello; rm -rf calls';
    const programs = await place.run(
      launch(`(${more}) 2>&1 | grep -vc "Read-only file system"; cat calls/hello`, { as }),
    );
    t.is(programs.stdout, '0\nhello world\n');
  });
}

test.serial('a directory of 2000 entries is listed completely, from its start and from in between', async (t) => {
  const script =
    'cd many; ls | wc -l; ls -U | sort -u | wc -l; ls -l | grep -c " entry-"; find . -name "entry-1??5" | wc -l';
  const { stdout, stderr } = await place.run(launch(script));
  t.is(stdout, '2000\n2000\n2000\n100\n', stderr);
});

test.serial('statfs tells of a read-only FUSE file system with the number of its entries', async (t) => {
  const { stdout, stderr } = await place.run(launch(`stat -f -c '%t %l %c' .; grep ' /cvmfs/${FQRN} ' /proc/mounts`));
  const [, type, nameLength, files] = /^(\w+) (\d+) (\d+)\n/.exec(stdout) ?? [];
  t.is(type, '65735546', stderr);
  t.is(nameLength, '255');
  const { length } = site.repository.listing();
  t.true(Math.abs(Number(files) - length) <= 10, `${files} of ${length}`);
  t.regex(stdout, /\ncvmfs2 \/cvmfs\/kernel\.example\.org fuse ro,[^ ]*default_permissions[^ ]*allow_other/);
});

test.serial('the magic attributes tell what is mounted', async (t) => {
  const manifest = parseManifest(readFileSync(join(site.repository.directory, '.cvmfspublished')));
  const value = (name: string, path: string) => `getfattr -h --only-values -n ${name} ${path} 2>&1; echo`;
  const script = [
    value('user.fqrn', '.'),
    value('user.revision', 'files/text'),
    value('user.root_hash', 'files'),
    value('user.host', '.'),
    value('user.hash', 'README'),
    value('xfsroot.rawlink', 'symlinks/variant'),
    value('user.nothing', 'README'),
    value('user.foo', 'xattrs/one'),
    'getfattr -d -m - xattrs/two software README',
    'getfattr -d -m - . | grep -c ^user',
  ].join('; ');
  const { stdout, stderr } = await place.run(launch(script));
  const lines = stdout.split('\n');
  t.deepEqual(lines.slice(0, 4), [
    FQRN,
    String(manifest.revision),
    String(manifest.rootHash),
    `${site.server.url}/${FQRN}`,
  ]);
  t.regex(lines[4], /^[0-9a-f]{40}$/, stderr);
  t.deepEqual(lines.slice(5, 8), ['$(SAMPLE_VARIANT:-default)/bin', 'README: user.nothing: No such attribute', '']);
  t.is(lines[8], 'bar');
  t.regex(stdout, /# file: xattrs\/two\nuser\.bytes=0sAP8K\nuser\.k1="p"\nuser\.k2=?("")?\n\n\d+\n$/);
});

test.serial('eight readers at once in one mount read right, and no object is fetched twice', async (t) => {
  site.server.requests.length = 0;
  const readers = Array.from({ length: 8 }, () => `(${DIGEST_OF_ALL}) &`).join(' ');
  const { stdout, stderr } = await place.run(launch(`${readers} wait`));
  const digest = expectedDigests();
  t.deepEqual(stdout.split('\n'), [...Array.from({ length: 8 }, () => digest), ''], stderr);
  t.is(new Set(site.server.paths()).size, site.server.paths().length);
});

test.serial('twenty launches at once on one empty cache all read right, and leave no temporary files', async (t) => {
  const cache = place.newPath();
  // The reader is answered before the disk is written, and the job ends with its reader.
  const script = 'LC_ALL=C; cat files/* software/*/data data/set/values | sha256sum';
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => place.run(launch(script, { cache }))));
  const alone = await place.run(launch(script));
  t.regex(alone.stdout, /^[0-9a-f]{64} {2}-\n$/);
  for (const { stdout, stderr, exitCode } of outcomes) {
    t.is(stdout, alone.stdout);
    t.is(stderr, '');
    t.is(exitCode, 0);
  }
  t.deepEqual(readdirSync(join(cache, 'shared/txn')), []);
});
