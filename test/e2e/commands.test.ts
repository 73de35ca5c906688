// The commands for people and scripts, as they are installed: cvmfsexec stat and probe, cvmfs_talk, cvmfs_config, cvmfs_fsck.
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { execa } from 'execa';
import { TestServer } from '../support/http-server.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, ordinaryUser } from '../support/run-cvmfsexec.ts';

const FQRN = 'commands.example.org';
const place = new Installation();
let repository: TestRepository;
let server: TestServer;
let options: string[];
let cache: string;

test.before(async () => {
  repository = await makeTestRepository({
    fqrn: FQRN,
    writeTree: (directory) => writeFileSync(join(directory, 'one'), 'one\n'),
    xattrs: new Map(),
  });
  server = await TestServer.start({ root: repository.serverRoot });
  cache = place.newPath();
  const parameters = {
    SERVER_URL: `${server.url}/@fqrn@`,
    HTTP_PROXY: 'DIRECT',
    KEYS_DIR: repository.clientKeys,
    CACHE_BASE: cache,
    MAX_RETRIES: '0',
  };
  options = Object.entries(parameters).flatMap(([name, value]) => ['-o', `CVMFS_${name}=${value}`]);
});
test.after.always(async () => {
  await place.close();
  await server?.close();
  repository?.remove();
});

/** Runs one of the installed programs as the ordinary user. */
async function run(program: string, ...words: string[]) {
  const [file, ...args] = [...ordinaryUser.prefix, join(dirname(place.program), program), ...words];
  const { exitCode, stdout, stderr } = await execa(file, args, {
    cwd: place.scratch,
    env: { PATH: process.env.PATH },
    extendEnv: false,
    reject: false,
    timeout: 100_000,
  });
  return { exitCode, stdout, stderr };
}

function start() {
  const { HTTP_PROXY: _, ...rest } = Object.fromEntries(
    options.filter((word) => word !== '-o').map((word) => word.replace('CVMFS_', '').split(/=(.*)/s)),
  );
  return place.start({
    repositories: [FQRN],
    parameters: rest,
    command: ['sh', '-c', `cat /cvmfs/${FQRN}/one; read x`],
  });
}

test.serial('without a running job stat and cvmfs_talk say so, and what to do', async (t) => {
  const stat = await run('cvmfsexec', 'stat', ...options, FQRN);
  t.is(stat.exitCode, 1);
  t.regex(stat.stderr, /no job of yours is running with the cache in .*: start one .* or give the -o and --config/);
  const talk = await run('cvmfs_talk', '-i', FQRN, ...options, 'pid');
  t.is(talk.exitCode, 1);
  t.regex(
    talk.stderr,
    /^Seems like CernVM-FS is not running in \/.* \(not found: \/.*\/cvmfs_io\.commands\.example\.org\)$/,
  );
  const config = await run('cvmfs_config', 'stat', ...options, FQRN);
  t.is(config.exitCode, 1);
  t.is(config.stderr, `${FQRN} not mounted`);
});

test.serial('of a running job: stat in all its forms, talk, the process as it is called here', async (t) => {
  const job = start();
  const talk = (...command: string[]) => run('cvmfs_talk', '-i', FQRN, ...options, ...command);
  for (let i = 0; i < 100 && (await talk('revision')).exitCode !== 0; i++) await sleep(50);
  t.like(await talk('revision'), { exitCode: 0, stdout: '1' });
  t.like(await talk('mountpoint'), { stdout: `/cvmfs/${FQRN}` });
  const pid = (await talk('pid')).stdout;
  t.regex(await execa('cat', [`/proc/${pid}/cmdline`]).then(({ stdout }) => stdout), /start\.cjs\0server\0/);

  const long = await run('cvmfsexec', 'stat', ...options, FQRN);
  t.is(long.exitCode, 0, long.stderr);
  const lines = long.stdout.split('\n');
  const forms = [
    /^Version: 2\.12\.0\.0$/,
    new RegExp(`^PID: ${pid}$`),
    /^Uptime: 0 minutes$/,
    /^Memory Usage: \d{4,}k$/,
    /^File Catalog Revision: 1 \((expires in -?\d+ minutes|never expires)\)$/,
    /^File Catalog ID: [0-9a-f]{40}$/,
    /^No\. Active File Catalogs: 1$/,
    /^Cache Usage: \d+k \/ \d+k$/,
    /^File Descriptor Usage: \d+ \/ \d+$/,
    /^No\. Open Directories: 0$/,
    /^No\. IO Errors: 0$/,
    new RegExp(`^Connection: ${server.url}/${FQRN} through proxy DIRECT \\(online\\)$`),
    /^Usage: \d+ open\(\) calls \(hitrate (\d+\.\d{3}|n\/a)%\), \d+ opendir\(\) calls$/,
    /^Transfer Statistics: \d+k read, avg\. speed: (\d+|n\/a)k\/s$/,
  ];
  t.is(lines.length, forms.length);
  for (const [i, form] of forms.entries()) t.regex(lines[i], form);
  t.is((await run('cvmfs_config', 'stat', '-v', ...options, FQRN)).stdout.split('\n')[1], `PID: ${pid}`);
  const [title, values] = (await run('cvmfs_config', 'stat', ...options, FQRN)).stdout.split('\n');
  t.is(
    title.replace(/ +/g, ' '),
    'VERSION PID UPTIME(M) MEM(K) REVISION EXPIRES(M) NOCATALOGS CACHEUSE(K) CACHEMAX(K) NOFDUSE NOFDMAX NOIOERR NOOPEN HITRATE(%) RX(K) SPEED(K/S) HOST PROXY ONLINE',
  );
  t.is(values.split(/ +/).length, 19);
  const [json] = JSON.parse((await run('cvmfsexec', 'stat', '--json', ...options, FQRN)).stdout);
  t.like(json, { fqrn: FQRN, pid: Number(pid), online: true });
  const status = await run('cvmfs_config', 'status', ...options, FQRN);
  t.is(status.stdout, `${FQRN} mounted on /cvmfs/${FQRN} with pid ${pid}`);
  job.stdin?.end('\n');
  await job;
});

test.serial('probe mounts and says OK, or Failed! and why', async (t) => {
  const good = await run('cvmfsexec', 'probe', ...options, FQRN);
  t.is(good.stdout, `Probing /cvmfs/${FQRN}... OK`, good.stderr);
  t.is(good.exitCode, 0);
  const both = await run('cvmfsexec', 'probe', ...options, 'missing.example.org', FQRN);
  t.is(both.stdout, `Probing /cvmfs/missing.example.org... Failed!\nProbing /cvmfs/${FQRN}... OK`);
  t.regex(both.stderr, /cannot mount missing\.example\.org: .*404/);
  t.is(both.exitCode, 1);
  const [trial] = JSON.parse((await run('cvmfsexec', 'probe', '--json', ...options, FQRN)).stdout);
  t.like(trial, { repository: FQRN, mounted: true, entries: 1 });
});

test.serial('what cvmfs_config cannot do for mounts of jobs it refuses, and says what does', async (t) => {
  for (const command of ['setup', 'umount', 'killall', 'reload', 'fuser', 'nonsense']) {
    const { exitCode, stderr } = await run('cvmfs_config', command);
    t.is(exitCode, 1, command);
    t.regex(stderr, new RegExp(`^cvmfs_config ${command}: .{20,}$`));
  }
  t.is((await run('cvmfs_config', '--help')).exitCode, 0);
  const { stdout } = await run('cvmfs_talk', '--help');
  t.regex(stdout, /\n {2}cache limit set <limit in MB>\n/);
});

test.serial('cvmfs_fsck counts, finds what is damaged, moves it away', async (t) => {
  const directory = readdirSync(cache).map((name) => join(cache, name))[0];
  const good = await run('cvmfs_fsck', directory);
  t.regex(good.stdout, /^Verified [3-9]\d* files$/);
  t.is(good.exitCode, 0);
  const part = readdirSync(directory).find(
    (name) => /^..$/.test(name) && readdirSync(join(directory, name)).length > 0,
  );
  const victim = join(directory, part!, readdirSync(join(directory, part!))[0]);
  truncateSync(victim);
  const bad = await run('cvmfs_fsck', directory);
  t.is(bad.exitCode, 4);
  t.true(bad.stdout.startsWith(`damaged: ${victim}\n`));
  t.is((await run('cvmfs_fsck', '-p', directory)).exitCode, 1);
  t.is((await run('cvmfs_fsck', '-j', '4', directory)).exitCode, 0);
  t.is((await run('cvmfs_fsck')).exitCode, 16);
  const empty = place.newPath();
  mkdirSync(empty);
  t.is((await run('cvmfs_fsck', empty)).exitCode, 8);
});

test.serial('cvmfs_fsck finds a flipped bit that left size and time as they were', async (t) => {
  const read = async (): Promise<string> => {
    const job = start();
    job.stdin?.end('\n');
    return String((await job).stdout);
  };
  t.is(await read(), 'one\n'); // it may have been the one that the test before moved away
  const directory = readdirSync(cache).map((name) => join(cache, name))[0];
  const objects = readdirSync(directory)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .flatMap((part) => readdirSync(join(directory, part)).map((name) => join(directory, part, name)));
  const victim = objects.find((path) => readFileSync(path, 'latin1') === 'one\n')!;
  const { atime, mtime } = statSync(victim);
  writeFileSync(victim, 'ong\n');
  utimesSync(victim, atime, mtime);
  const found = await run('cvmfs_fsck', '-p', directory);
  t.is(found.stdout, `damaged: ${victim}\nVerified ${objects.length} files`);
  t.is(found.exitCode, 1);
  const after = await run('cvmfs_fsck', directory);
  t.is(after.stdout, `Verified ${objects.length - 1} files`);
  t.is(after.exitCode, 0);
  t.is(await read(), 'one\n');
});
