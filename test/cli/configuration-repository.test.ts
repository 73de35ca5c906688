// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is sh
// A repository that is configured by another one, which is opened by the same client and read without a mount.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { repositorySettings } from '../../src/cli/settings/repository.ts';
import { MountedRepository, type RepositorySettings } from '../../src/filesystem/mounted-repository.ts';
import { fixtureFile, fixtureRepository, needsFixtures } from '../repository/fixtures.ts';
import { TestServer } from '../support/http-server.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';

// The machine's own environment must not matter.
for (const name of Object.keys(process.env)) if (name.startsWith('CVMFS_')) delete process.env[name];

const NAME = 'configuration.example.org';
const ETC = 'etc/cvmfs';

interface Site {
  readonly repository: TestRepository;
  readonly server: TestServer;
  /** Like /etc/cvmfs. */
  readonly directory: string;
  readonly cache: string;
}

type Files = Readonly<Record<string, string>>;

/** A site whose configuration repository has these files below etc/cvmfs. */
async function site(t: ExecutionContext, files: Files, own: Files = {}): Promise<Site> {
  const repository = await makeTestRepository({
    fqrn: NAME,
    xattrs: new Map(),
    writeTree: (tree) => write(join(tree, ETC), files),
  });
  t.teardown(repository.remove);
  const server = await TestServer.start({ root: repository.serverRoot });
  t.teardown(() => server.close());
  const directory = temporaryDirectory(t);
  write(directory, {
    'default.d/50-site.conf': `CVMFS_CONFIG_REPOSITORY=${NAME}\n`,
    [`config.d/${NAME}.conf`]: `CVMFS_SERVER_URL=${server.url}/@fqrn@\nCVMFS_HTTP_PROXY=DIRECT\nCVMFS_PUBLIC_KEY=${repository.publicKey}\n`,
    ...own,
  });
  return { repository, server, directory, cache: join(temporaryDirectory(t), 'cache') };
}

function write(directory: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), file);
    else writeFileSync(file, text);
  }
}

interface Result {
  readonly settings: RepositorySettings;
  readonly reports: string[];
}

async function configured(
  { directory, cache }: Pick<Site, 'directory' | 'cache'>,
  name: string,
  parameters: string[] = [],
): Promise<Result> {
  const reports: string[] = [];
  const launch = {
    repositories: [name],
    parameters: [`CVMFS_CACHE_BASE=${cache}`, `CVMFS_BLACKLIST=${directory}/blacklist`, ...parameters],
    configDirectory: directory,
    debug: false,
    inside: true,
    offline: false,
    record: undefined,
  };
  const settings = await repositorySettings(name, launch, (line) => reports.push(line));
  return { settings, reports };
}

const KEYS = '$CVMFS_MOUNT_DIR/$CVMFS_CONFIG_REPOSITORY/etc/cvmfs/keys';
/** Only its being a key counts. */
const KEY = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxKhc7s1HmmPWH4Cq1U3K
4FNFKcMQgZxUrgQEfvgkF97OZ8I8wzC9MWqmegX6tqlPmAzYWTM+Xi4nEBWYRhd+
hVN/prHyYGzb/kTyCSHa9EQtIk9SUyoPfQxkGRnx68pD5con8KJySNa8neplsXx+
2gypwjasBRQLzB3BrrGhrzZ5fL84+dsxNBBW6QfNO1BS5ATeWl3g1J27f0GoGtRO
YbPhaAd9D+B+qVo9pt3jKXvjTZQG0pE16xaX1elciFT9OhtZGaErDJyURskD7g3/
NotcpBL5K5v95zA/kh5u+TRrmeTxHyDOpyrGrkqRaT5p+/C1z0HDyKFQbptegCbn
GwIDAQAB
-----END PUBLIC KEY-----
`;
const SERVER = 'CVMFS_SERVER_URL=http://from-repository/@fqrn@\nCVMFS_HTTP_PROXY=DIRECT\n';
const DOMAIN: Files = {
  'keys/example.org.pub': KEY,
  'domain.d/example.org.conf': `${SERVER}CVMFS_PUBLIC_KEY=${KEYS}/example.org.pub\n`,
};

test('its files are read between those of the machine, in the order of the reference', async (t) => {
  const order = [
    'default.conf',
    'default.d/50-site.conf',
    'REPOSITORY/default.conf',
    'default.local',
    'REPOSITORY/domain.d/example.org.conf',
    'domain.d/example.org.conf',
    'domain.d/example.org.local',
    'REPOSITORY/config.d/x.example.org.conf',
    'config.d/x.example.org.conf',
    'config.d/x.example.org.local',
  ];
  const line = (name: string) => `CVMFS_ORDER="$CVMFS_ORDER ${name}"\n`;
  const own = Object.fromEntries(order.filter((name) => !name.startsWith('REPO')).map((name) => [name, line(name)]));
  own['default.d/50-site.conf'] += `CVMFS_CONFIG_REPOSITORY=${NAME}\n`;
  const signed = order.filter((name) => name.startsWith('REPO')).map((name) => [name.slice(11), line(name)]);
  const files: Record<string, string> = Object.fromEntries(signed);
  files['domain.d/example.org.conf'] += DOMAIN['domain.d/example.org.conf'];
  const made = await site(
    t,
    { ...DOMAIN, ...files, 'default.d/no.conf': line('no'), 'default.local': line('no') },
    own,
  );
  const { settings, reports } = await configured(made, 'x.example.org');
  t.deepEqual(reports, []);
  t.is(settings.variables.CVMFS_ORDER, ` ${order.join(' ')}`);
  t.deepEqual(settings.servers.servers, ['http://from-repository/x.example.org']);
  t.is(settings.masterKeys.length, 1);
});

test('directories of keys, includes, links and a shell work in it as they would in a mount', async (t) => {
  const made = await site(t, {
    'keys/example.org/a.pub': KEY,
    'keys/example.org/b.pub': KEY,
    'keys/example.org/readme': 'no key',
    'common.conf': 'CVMFS_COMMON="from $CVMFS_CLIENT_PROFILE"\n',
    'domain.d/real.conf': `. ../common.conf\n${SERVER}CVMFS_KEYS_DIR=${KEYS}/example.org\n`,
    'domain.d/example.org.conf': '-> real.conf',
    'config.d/x.example.org.conf': `source "$CVMFS_MOUNT_DIR/$CVMFS_CONFIG_REPOSITORY/etc/cvmfs/common.conf"
if [ -f ../common.conf ] && [ ! -f ../missing ] && [ -d ${KEYS} ]; then CVMFS_SEEN=yes; fi
CVMFS_SHELL=$(. ../common.conf; cat ../common.conf | wc -l; echo "$CVMFS_COMMON"; pwd)
`,
  });
  const { settings, reports } = await configured(made, 'x.example.org', ['CVMFS_CLIENT_PROFILE=single']);
  t.deepEqual(reports, []);
  const { CVMFS_COMMON: common, CVMFS_SHELL: shell, CVMFS_SEEN: seen } = settings.variables;
  t.deepEqual([common, shell, seen], ['from single', `1\nfrom single\n/cvmfs/${NAME}/etc/cvmfs/config.d`, 'yes']);
  t.is(settings.masterKeys.length, 2);
});

test('its blacklist counts beside that of the site', async (t) => {
  const made = await site(t, { ...DOMAIN, blacklist: '<x.example.org 7\n' });
  writeFileSync(join(made.directory, 'blacklist'), '<x.example.org 5\n<y.example.org 3\n');
  const { blacklist } = (await configured(made, 'x.example.org')).settings;
  t.deepEqual(
    blacklist?.minimumRevisions,
    new Map([
      ['x.example.org', 7],
      ['y.example.org', 3],
    ]),
  );
});

test('what has been read is in the cache, and is used while the servers are away', async (t) => {
  const made = await site(t, DOMAIN);
  await configured(made, 'x.example.org');
  const objects = made.server.paths(/\/data\//).length;
  await configured(made, 'x.example.org');
  t.is(made.server.paths(/\/data\//).length, objects, 'nothing is fetched again');
  made.server.fault(/./, { status: 503 });
  const { settings, reports } = await configured(made, 'x.example.org', ['CVMFS_MAX_RETRIES=0']);
  t.deepEqual(settings.servers.servers, ['http://from-repository/x.example.org']);
  t.true(
    reports.every((line) => /from the cache|503/.test(line)),
    reports.join('\n'),
  );
});

test('when it cannot be had the launch goes on with what is there, and is told why', async (t) => {
  const made = await site(t, DOMAIN, {
    'domain.d/example.org.local': `CVMFS_SERVER_URL=http://own\nCVMFS_PUBLIC_KEY=DIRECTORY/key.pub\n`,
  });
  write(made.directory, {
    'key.pub': KEY,
    'domain.d/example.org.local': `CVMFS_SERVER_URL=http://own\nCVMFS_PUBLIC_KEY=${made.directory}/key.pub\n`,
  });
  made.server.fault(/./, { status: 404 });
  const { settings, reports } = await configured(made, 'x.example.org');
  t.deepEqual(settings.servers.servers, ['http://own']);
  t.regex(
    reports.join('\n'),
    /cannot use the configuration repository configuration\.example\.org: .*404.*; going on without it/,
  );
  const required = configured(made, 'x.example.org', ['CVMFS_CONFIG_REPO_REQUIRED=yes']);
  await t.throwsAsync(required, { code: 'NO_CONFIGURATION', message: /configuration\.example\.org: .*404/ });
  const unknown = configured(made, 'x.nowhere.org');
  await t.throwsAsync(unknown, {
    code: 'NO_KEY',
    message: /^no master key .*; cannot use the configuration/,
  });
});

test('nothing that is not signed with its key is read or run', async (t) => {
  const made = await site(t, { ...DOMAIN, 'default.conf': 'CVMFS_EVIL=$(echo yes)\n' });
  write(made.directory, {
    'other.pub': KEY,
    [`config.d/${NAME}.local`]: `CVMFS_PUBLIC_KEY=${made.directory}/other.pub\n`,
  });
  const parameters = ['CVMFS_CONFIG_REPO_REQUIRED=1'];
  const error = await t.throwsAsync(configured(made, 'x.example.org', parameters), { code: 'NO_CONFIGURATION' });
  t.regex(error?.message ?? '', /whitelist/);
  t.deepEqual(made.server.paths(/\/data\/.*[^CX]$/), [], 'no file was fetched');
  write(made.directory, { 'other.pub': 'no key' });
  await t.throwsAsync(configured(made, 'x.example.org', parameters), {
    message: /master key .*other\.pub cannot be read/,
  });
});

test('a tag or date of the launch is not one of the configuration repository', async (t) => {
  const made = await site(t, DOMAIN);
  const { settings } = await configured(made, 'x.example.org', ['CVMFS_REPOSITORY_TAG=v7']);
  t.is(settings.tag, 'v7');
});

test('it is not configured by itself, and cannot be replaced by a file that is read later', async (t) => {
  const made = await site(t, { ...DOMAIN, 'default.conf': 'CVMFS_CONFIG_REPOSITORY=other.example.org\nCVMFS_A=1\n' });
  const { settings, reports } = await configured(made, 'x.example.org');
  t.is(settings.variables.CVMFS_A, '1');
  t.is(settings.variables.CVMFS_CONFIG_REPOSITORY, NAME);
  t.deepEqual(reports, [
    `/cvmfs/${NAME}/etc/cvmfs/default.conf:1: it is too late to set CVMFS_CONFIG_REPOSITORY: left out`,
  ]);
  made.server.requests.length = 0;
  t.is((await configured(made, NAME)).settings.fqrn, NAME);
  t.deepEqual(made.server.paths(), [], 'to know its own settings nothing is fetched');
});

test('an empty or impossible name, and one that is set by an option, are taken as such', async (t) => {
  const made = await site(t, DOMAIN);
  const own = {
    'domain.d/example.org.conf': `CVMFS_SERVER_URL=http://own\nCVMFS_PUBLIC_KEY=${made.directory}/key.pub\n`,
  };
  write(made.directory, { ...own, 'key.pub': KEY });
  const server = async (option: string) => {
    const { settings, reports } = await configured(made, 'x.example.org', [`CVMFS_CONFIG_REPOSITORY=${option}`]);
    return [settings.servers.servers[0], reports.length];
  };
  t.deepEqual(await server(''), ['http://own', 0]);
  t.deepEqual(await server('../up'), ['http://own', 1]);
  t.deepEqual(made.server.paths(), []);
});

test('several repositories of a launch open it once', async (t) => {
  const made = await site(t, DOMAIN);
  const results = await Promise.all(['x', 'y', 'z'].map((name) => configured(made, `${name}.example.org`)));
  t.is(made.server.paths(/cvmfspublished/).length, 1);
  t.deepEqual(
    results.map(({ settings }) => settings.servers.servers[0]),
    ['x', 'y', 'z'].map((name) => `http://from-repository/${name}.example.org`),
  );
});

test('the configuration repository of the reference drives a repository of the reference', async (t) => {
  if (!needsFixtures(t)) return;
  const { directory: configuration } = fixtureRepository(t, 'config.example.org');
  const { directory: small } = fixtureRepository(t, 'small.example.org');
  const directory = temporaryDirectory(t);
  write(directory, {
    'default.d/50-site.conf': 'CVMFS_CONFIG_REPOSITORY=config.example.org\n',
    'key.pub': fixtureFile('keys/config.example.org.pub').toString(),
    'config.d/config.example.org.conf': `CVMFS_SERVER_URL=file://${dirname(configuration)}/@fqrn@\nCVMFS_PUBLIC_KEY=${directory}/key.pub\n`,
  });
  const cache = join(temporaryDirectory(t), 'cache');
  const { settings, reports } = await configured({ directory, cache }, 'small.example.org');
  t.deepEqual(reports, []);
  t.deepEqual(settings.servers.servers, ['http://127.0.0.1:8000/cvmfs/small.example.org']);
  t.like(settings.variables, {
    CVMFS_TEST_ARCH: 'aarch64',
    CVMFS_TEST_VERSION: 'v1.0',
    CVMFS_CONFIG_REPO_DEFAULT_ENV: '1',
  });
  const repository = await MountedRepository.open({ ...settings, servers: { servers: [`file://${small}`] } });
  t.truthy(repository.root.revision);
  await repository.close();
  const external = await configured({ directory, cache }, 'ext.example.org');
  t.deepEqual(external.settings.externalServers?.servers, ['http://127.0.0.1:8000/ext/ext.example.org']);
  const other = await t.throwsAsync(configured({ directory, cache }, 'x.other.org'));
  t.regex(
    other?.message ?? '',
    /cannot read CVMFS_KEYS_DIR=\/cvmfs\/config\.example\.org\/etc\/cvmfs\/keys\/other\.org \(ENOENT\)/,
  );
});
