import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { repositorySettings } from '../../src/cli/settings/repository.ts';
import type { RepositorySettings } from '../../src/filesystem/mounted-repository.ts';

// The machine's own /etc/cvmfs and environment must not matter.
for (const name of Object.keys(process.env)) if (name.startsWith('CVMFS_')) delete process.env[name];

interface Given {
  readonly name?: string;
  readonly parameters?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

interface Result {
  readonly settings: RepositorySettings;
  readonly reports: string[];
  readonly base: string;
}

async function settingsOf(
  t: ExecutionContext,
  { name = 'atlas.cern.ch', parameters = [], files = {} }: Given,
): Promise<Result> {
  const base = mkdtempSync(join(tmpdir(), 'settings-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'config'));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(base, 'config', file), text);
  const reports: string[] = [];
  const launch = {
    repositories: [name],
    parameters: [`CVMFS_CACHE_BASE=${base}/cache`, `CVMFS_BLACKLIST=${base}/blacklist`, ...parameters].map(
      (parameter) => parameter.replace('CONFIG/', `${base}/config/`),
    ),
    configDirectory: join(base, 'config'),
    debug: false,
    inside: true,
  };
  return { settings: await repositorySettings(name, launch, (line) => reports.push(line)), reports, base };
}

test('a repository of a built-in domain needs no configuration', async (t) => {
  const { settings, reports, base } = await settingsOf(t, { name: 'atlas' });
  t.is(settings.fqrn, 'atlas.cern.ch');
  t.is(settings.masterKeys.length, 3);
  t.is(settings.cacheDirectory, `${base}/cache/shared`);
  t.true(settings.servers.servers.every((server) => /^http:\/\/.*\/cvmfs\/atlas\.cern\.ch$/.test(server)));
  t.is(settings.servers.proxies, 'auto;DIRECT');
  t.like(settings.servers, { timeout: 5, timeoutDirect: 10, maxRetries: 1, backoffInit: 2, backoffMax: 10 });
  t.like(settings.servers, { hostResetAfter: 1800, proxyResetAfter: 300, lowSpeedLimit: 1024 });
  t.is(settings.externalServers, undefined);
  t.deepEqual(settings.ownership.claim, { uid: process.getuid!(), gid: process.getgid!() });
  t.deepEqual(reports, []);
});

test('parameters of files and options reach the parts of the client', async (t) => {
  const { settings } = await settingsOf(t, {
    files: { 'default.local': 'CVMFS_TIMEOUT=6\nCVMFS_CLAIM_OWNERSHIP=no\nCVMFS_WORLD_READABLE=yes\n' },
    parameters: [
      'CVMFS_SERVER_URL=http://a/@org@;;http://b',
      'CVMFS_HTTP_PROXY=http://p|http://q;DIRECT',
      'CVMFS_FALLBACK_PROXY=http://f',
      'CVMFS_EXTERNAL_URL=http://x/@fqrn@',
      'CVMFS_FOLLOW_REDIRECTS=yes',
      'CVMFS_REPOSITORY_TAG=tag',
      'CVMFS_ALT_ROOT_PATH=on',
    ],
  });
  t.deepEqual(settings.servers.servers, ['http://a/atlas', 'http://b']);
  t.like(settings.servers, { proxies: 'http://p|http://q;DIRECT', fallbackProxies: 'http://f', followRedirects: true });
  t.like(settings.externalServers, { servers: ['http://x/atlas.cern.ch'], proxies: 'DIRECT', timeout: 6 });
  t.like(settings.ownership, { claim: undefined, worldReadable: true });
  t.like(settings, { tag: 'tag', alternativePath: true, fixedRoot: undefined, date: undefined });
});

test('symlinks see parameters and environment, the parameters first', async (t) => {
  process.env.SETTINGS_TEST = 'environment';
  t.teardown(() => delete process.env.SETTINGS_TEST);
  const { settings } = await settingsOf(t, { parameters: ['MY_VERSION=1-@org@', 'PATH=none'] });
  t.like(settings.variables, { SETTINGS_TEST: 'environment', MY_VERSION: '1-atlas', PATH: 'none' });
  t.is(settings.variables.CVMFS_FQRN, 'atlas.cern.ch');
  t.truthy(settings.variables.CVMFS_ARCH);
  t.is((await settingsOf(t, { name: 'grid.cern.ch' })).settings.variables.GLITE_VERSION, 'default');
});

test('what is left out of the files is told', async (t) => {
  const { reports, base } = await settingsOf(t, { files: { 'default.local': 'CVMFS_A=$(exit 1)\nexit 3\n' } });
  const reason = 'left out, as it needs a shell, and it does not run to its end';
  t.deepEqual(reports, [`${base}/config/default.local:1: ${reason}`, `${base}/config/default.local:2: ${reason}`]);
});

test('files of ids are read, and one that cannot be ends the launch', async (t) => {
  const { settings, base } = await settingsOf(t, {
    files: { users: '# people\n 12 1000 \n* 65534\n', groups: '1 2\n' },
    parameters: ['CVMFS_CLAIM_OWNERSHIP=no', 'CVMFS_UID_MAP=CONFIG/users', 'CVMFS_GID_MAP=CONFIG/groups'],
  });
  t.deepEqual(
    [12, 13].map((id) => settings.ownership.userId?.(id)),
    [1000, 65_534],
  );
  t.deepEqual(
    [1, 13].map((id) => settings.ownership.groupId?.(id)),
    [2, 13],
  );
  t.truthy(base);
  const broken = (text: string) =>
    settingsOf(t, { files: { users: text }, parameters: ['CVMFS_CLAIM_OWNERSHIP=no', 'CVMFS_UID_MAP=CONFIG/users'] });
  for (const text of ['1\t2', '1 2 3', 'a 2', '1 -2', '1 4294967296', '* *']) {
    await t.throwsAsync(
      broken(`# comment\n${text}\n`),
      { code: 'BAD_MAP', message: /users:2: expected two ids/ },
      text,
    );
  }
  const missing = settingsOf(t, { parameters: ['CVMFS_CLAIM_OWNERSHIP=no', 'CVMFS_GID_MAP=CONFIG/none'] });
  await t.throwsAsync(missing, { code: 'NO_FILE', message: /cannot read CVMFS_GID_MAP=.*none \(ENOENT\)/ });
});

test('without a server, a key or a name that can be one, the repository is refused with what to do', async (t) => {
  const unknown = { name: 'x.example.org' };
  const server = 'CVMFS_SERVER_URL=http://h';
  const refused = async (given: Given, code: string, message: RegExp): Promise<void> => {
    const error = await t.throwsAsync(() => settingsOf(t, given), { name: 'ConfigError', code });
    t.regex(error?.message ?? '', message);
    t.false(error?.message.includes('\n'));
  };
  const keys = `CVMFS_KEYS_DIR=${import.meta.dirname}`;
  await refused(
    { ...unknown, parameters: [server, keys] },
    'NO_KEY',
    /no master key for x\.example\.org.*set CVMFS_PUBLIC_KEY/,
  );
  await refused({ parameters: ['CVMFS_SERVER_URL='] }, 'MISSING', /no server is known.*set CVMFS_SERVER_URL/);
  await refused({ name: '../x.cern.ch' }, 'BAD_NAME', /is not a repository name/);
  await refused({ parameters: ['debug'] }, 'BAD_OPTION', /expected KEY=VALUE/);
});

test('a key that is none is refused', async (t) => {
  const parameters = [`CVMFS_PUBLIC_KEY=${import.meta.filename}`];
  await t.throwsAsync(() => settingsOf(t, { parameters }), { name: 'RepositoryError', code: 'BadKey' });
});

test('a blacklist that is there but cannot be read is not overlooked', async (t) => {
  const parameters = [`CVMFS_BLACKLIST=${import.meta.dirname}`];
  await t.throwsAsync(() => settingsOf(t, { parameters }), { code: 'NO_FILE', message: /cannot read the blacklist/ });
});

test('a root hash that is none is refused: another revision than the wanted one is never shown', async (t) => {
  const hash = '0123456789'.repeat(4);
  t.is((await settingsOf(t, { parameters: [`CVMFS_ROOT_HASH=${hash}`] })).settings.fixedRoot, hash);
  for (const text of ['00', hash.slice(1), `${hash}0`, 'trunk']) {
    const refused = settingsOf(t, { parameters: [`CVMFS_ROOT_HASH=${text}`] });
    await t.throwsAsync(refused, { code: 'BAD_VALUE', message: /CVMFS_ROOT_HASH=.*give all of its 40 digits/ });
  }
});
