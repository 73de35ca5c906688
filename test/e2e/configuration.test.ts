// Launches whose settings come from files, from a configuration repository, and what they refuse.
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { keyFiles } from '../../src/publish/keys.ts';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, identities, type Outcome, ordinaryUser } from '../support/run-cvmfsexec.ts';

const place = new Installation();
test.after.always(() => place.close());

const SOFTWARE = 'software.example.org';
const CONFIGURATION = 'configuration.example.org';
/** A key that has signed nothing here. */
const OTHER_KEY = 'other.pub';

interface Site {
  readonly directory: string;
  readonly server: TestServer;
  readonly software: TestRepository;
  readonly write: (files: Readonly<Record<string, string>>) => void;
  readonly run: (
    command: string,
    more?: { as?: (typeof identities)[0]; cache?: string; set?: string[] },
  ) => Promise<Outcome>;
}

/** A site that knows nothing but its configuration repository, which knows where the software is. */
async function site(t: ExecutionContext, signed: Readonly<Record<string, string>> = {}): Promise<Site> {
  const software = await makeTestRepository({
    fqrn: SOFTWARE,
    xattrs: new Map(),
    writeTree: (tree) => writeFileSync(join(tree, 'file'), 'content\n', { mode: 0o640 }),
  });
  t.teardown(software.remove);
  const server = await TestServer.start({ root: software.serverRoot });
  t.teardown(() => server.close());
  const configuration = await makeTestRepository({
    fqrn: CONFIGURATION,
    xattrs: new Map(),
    writeTree: (tree) => {
      writeFiles(join(tree, 'etc/cvmfs'), {
        'common.conf': `CVMFS_SERVER_URL=${server.url}/@fqrn@\n`,
        'domain.d/example.org.conf': `. ../common.conf
CVMFS_KEYS_DIR=$CVMFS_MOUNT_DIR/$CVMFS_CONFIG_REPOSITORY/etc/cvmfs/keys/example.org
`,
        ...signed,
      });
      mkdirSync(join(tree, 'etc/cvmfs/keys/example.org'), { recursive: true });
      copyFileSync(software.publicKey, join(tree, 'etc/cvmfs/keys/example.org/software.pub'));
    },
  });
  t.teardown(configuration.remove);
  const directory = place.newPath();
  const write = (files: Readonly<Record<string, string>>): void => writeFiles(directory, files);
  write({
    'default.d/50-site.conf': `CVMFS_CONFIG_REPOSITORY=${CONFIGURATION}\n`,
    [`config.d/${CONFIGURATION}.conf`]: `CVMFS_SERVER_URL=file://${configuration.serverRoot}/@fqrn@\nCVMFS_PUBLIC_KEY=${configuration.publicKey}\n`,
  });
  const run: Site['run'] = (command, { as, cache = place.newPath(), set = [] } = {}) =>
    place.run({
      as,
      repositories: ['--config', directory, ...set.flatMap((option) => ['-o', option]), SOFTWARE],
      parameters: { CACHE_BASE: cache },
      command: ['sh', '-c', command],
    });
  return { directory, server, software, write, run };
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

const READ = `cat /cvmfs/${SOFTWARE}/file`;

test.serial('a repository of which only the configuration repository knows is mounted', async (t) => {
  const { run } = await site(t);
  for (const as of identities) {
    const { stdout, stderr, exitCode } = await run(`${READ}; ls /cvmfs`, { as });
    t.deepEqual([stdout, stderr, exitCode], [`content\n${SOFTWARE}\n`, '', 0], as.name);
  }
});

test.serial('config shows every value with the file and line it came from', async (t) => {
  const { directory, server, write } = await site(t);
  write({ 'default.local': '# site\nCVMFS_TIMEOUT=3\nCVMFS_HTP_PROXY=x\n' });
  const cache = place.newPath();
  const words = ['config', '-s', '--config', directory, '-o', `CVMFS_CACHE_BASE=${cache}`, '-o', 'CVMFS_MAX_RETRIES=7'];
  const { stdout, stderr, exitCode } = await place.runTool([...words, SOFTWARE]);
  t.is(exitCode, 0, stderr);
  const lines = stdout.split('\n');
  t.is(lines[0], `CVMFS_REPOSITORY_NAME=${SOFTWARE}`);
  const signed = `/cvmfs/${CONFIGURATION}/etc/cvmfs`;
  for (const line of [
    `CVMFS_TIMEOUT=3    # from ${directory}/default.local:2`,
    'CVMFS_MAX_RETRIES=7    # from -o',
    'CVMFS_TIMEOUT_DIRECT=10    # from built-in',
    `CVMFS_SERVER_URL=${server.url}/${SOFTWARE}    # from ${signed}/common.conf:1`,
    `CVMFS_KEYS_DIR=${signed}/keys/example.org    # from ${signed}/domain.d/example.org.conf:2`,
    `CVMFS_CACHE_DIR=${cache}/shared    # computed`,
  ]) {
    t.true(lines.includes(line), `${line}\n${stdout}`);
  }
  t.deepEqual(lines.slice(1, -1), lines.slice(1, -1).toSorted(), 'in order');
  t.regex(stderr, /CVMFS_HTP_PROXY means nothing to the client: did you mean CVMFS_HTTP_PROXY\?/);
  const json = await place.runTool(['config', '--json', ...words.slice(2), SOFTWARE]);
  const [found] = JSON.parse(json.stdout);
  t.deepEqual(found.configurationRepository, { name: CONFIGURATION, used: true });
  const timeout = found.parameters.find(({ name }: { name: string }) => name === 'CVMFS_TIMEOUT');
  t.deepEqual(timeout, { name: 'CVMFS_TIMEOUT', value: '3', source: { file: `${directory}/default.local`, line: 2 } });
});

test.serial('keys that are none, or others, keep a repository from being mounted', async (t) => {
  const { directory, write, run, software } = await site(t);
  const option = [
    `CVMFS_PUBLIC_KEY=${directory}/${OTHER_KEY}`,
    `CVMFS_CONFIG_REPOSITORY=`,
    `CVMFS_SERVER_URL=file://${software.serverRoot}/@fqrn@`,
  ];
  write({ [OTHER_KEY]: 'no key\n' });
  const broken = await run('echo ran', { set: option });
  t.deepEqual([broken.exitCode, broken.stdout], [125, '']);
  t.regex(broken.stderr, /^cvmfsexec: [^\n]*the master key .*other\.pub cannot be read[^\n]*\n$/);
  const other = await makeTestRepository({ fqrn: 'other.example.org', xattrs: new Map(), writeTree: () => {} });
  t.teardown(other.remove);
  copyFileSync(keyFiles(other.keysDirectory, 'other.example.org').publicKey, join(directory, OTHER_KEY));
  const wrong = await run('echo ran', { set: option });
  t.deepEqual([wrong.exitCode, wrong.stdout], [125, '']);
  t.regex(wrong.stderr, /^cvmfsexec: [^\n]*whitelist[^\n]*\n$/);
});

test.serial('a revision that a blacklist withdraws is not mounted: that of the site, or the signed one', async (t) => {
  const withdrawn = `<${SOFTWARE} 1000\n`;
  for (const isSigned of [false, true]) {
    const { write, run, directory } = await site(t, isSigned ? { blacklist: withdrawn } : {});
    write({ blacklist: isSigned ? '' : withdrawn });
    const { exitCode, stdout, stderr } = await run('echo ran', { set: [`CVMFS_BLACKLIST=${directory}/blacklist`] });
    t.deepEqual([exitCode, stdout], [125, ''], stderr);
    t.regex(stderr, /^cvmfsexec: [^\n]*blacklisted[^\n]*\n$/);
  }
});

test.serial('maps of ids say whose the files are, and a strict machine mounts no others', async (t) => {
  const { directory, write, run, software } = await site(t);
  const { uid, gid } = ordinaryUser;
  const published = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  write({ users: `# comment\n${published.uid} ${uid}\n* 1\n`, groups: `${published.gid} ${gid}\n` });
  const set = ['CVMFS_CLAIM_OWNERSHIP=no', `CVMFS_UID_MAP=${directory}/users`, `CVMFS_GID_MAP=${directory}/groups`];
  const show = `stat -c '%u %g %a' /cvmfs/${SOFTWARE}/file`;
  t.is((await run(show, { set })).stdout, `${uid} ${gid} 640\n`);
  t.is((await run(show, { set: ['CVMFS_WORLD_READABLE=yes'] })).stdout, `${uid} ${gid} 644\n`);
  write({ users: 'no rule\n' });
  const broken = await run('echo ran', { set });
  t.deepEqual([broken.exitCode, broken.stdout], [125, '']);
  t.regex(broken.stderr, /users:1: expected two ids/);
  chmodSync(software.tree, 0o755);
  const strict = await run('echo ran', { set: ['CVMFS_STRICT_MOUNT=yes', 'CVMFS_REPOSITORIES=other'] });
  t.is(strict.exitCode, 125);
  t.regex(strict.stderr, /^cvmfsexec: [^\n]*is not in CVMFS_REPOSITORIES[^\n]*\n$/);
});

test.serial(
  'a configuration repository that cannot be had costs a line; where it is required, the launch',
  async (t) => {
    const { write, run, software } = await site(t);
    write({
      [`config.d/${CONFIGURATION}.conf`]: `CVMFS_SERVER_URL=file:///nonexistent/@fqrn@\nCVMFS_PUBLIC_KEY=${software.publicKey}\n`,
      [`config.d/${SOFTWARE}.conf`]: `CVMFS_SERVER_URL=file://${software.serverRoot}/@fqrn@\nCVMFS_PUBLIC_KEY=${software.publicKey}\n`,
    });
    const { stdout, stderr } = await run(READ);
    t.is(stdout, 'content\n', stderr);
    t.regex(stderr, /^cvmfsexec: [^\n]*cannot use the configuration repository[^\n]*; going on without it\n$/);
    const required = await run(READ, { set: ['CVMFS_CONFIG_REPO_REQUIRED=yes'] });
    t.deepEqual([required.exitCode, required.stdout], [125, '']);
  },
);
