// What goes wrong around a mount: servers, proxies, names, options, the cache. Each ends within a bounded time.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { TestServer } from '../support/http-server.ts';
import { identities, type Launch, ordinaryUser } from '../support/run-cvmfsexec.ts';
import { prepareSite } from '../support/site.ts';
import { pseudoRandom } from '../support/tree-sample.ts';

const FQRN = 'failing.example.org';
const LARGE_FILES = 8;
const LARGE = 300_000;

const site = prepareSite(test, {
  fqrn: FQRN,
  writeTree(directory) {
    writeFileSync(join(directory, 'one'), 'one\n');
    writeFileSync(join(directory, 'two'), 'two\n');
    for (let i = 0; i < LARGE_FILES; i++) writeFileSync(join(directory, `large-${i}`), pseudoRandom(LARGE, i));
  },
});
const { place } = site;

type Settings = Readonly<Record<string, string>>;

/** Retries without waiting, so that what takes time is what is tested. */
function launch(script: string, settings: Settings = {}, more: Partial<Launch> = {}): Launch {
  return {
    repositories: [FQRN],
    command: ['sh', '-c', script],
    ...more,
    parameters: {
      SERVER_URL: `${site.server.url}/@fqrn@`,
      KEYS_DIR: site.repository.clientKeys,
      BACKOFF_INIT: '0',
      ...settings,
    },
  };
}

/** Nothing is run, and one line says why. */
async function refused(t: ExecutionContext, reason: RegExp, ...args: Parameters<typeof launch>): Promise<number> {
  const { exitCode, stdout, stderr, duration } = await place.run(launch(...args));
  t.is(stdout, '');
  t.regex(stderr, /^cvmfsexec: [^\n]+\n$/);
  t.regex(stderr, reason);
  t.is(exitCode, 125);
  return duration;
}

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const other = await TestServer.start();
  const { port } = other;
  await other.close();
  return port;
}

test.serial('a repository that the server does not have', async (t) => {
  const reason = /cannot mount missing\.example\.org: cannot load the manifest .*404.*check CVMFS_SERVER_URL/;
  await refused(t, reason, 'echo ran', {}, { repositories: ['missing.example.org'] });
});

test.serial('one of several repositories that does not exist: nothing is run', async (t) => {
  await refused(t, /missing\.example\.org/, 'echo ran', {}, { repositories: [FQRN, 'missing.example.org'] });
});

test.serial('a server that refuses connections', async (t) => {
  const url = `http://127.0.0.1:${await closedPort()}/@fqrn@`;
  await refused(t, /connection refused.*check CVMFS_SERVER_URL, CVMFS_HTTP_PROXY/, 'echo ran', { SERVER_URL: url });
});

test.serial('several servers of which none can be reached: one line names them all', async (t) => {
  const [one, other] = [await closedPort(), await closedPort()];
  const urls = `http://127.0.0.1:${one}/@fqrn@;http://127.0.0.1:${other}/@fqrn@`;
  await refused(t, new RegExp(`:${one}/.*:${other}/.*check CVMFS_SERVER_URL`), 'echo ran', { SERVER_URL: urls });
});

test.serial('a server whose name does not exist', async (t) => {
  const url = 'http://no-such-host.invalid/@fqrn@';
  await refused(t, /no-such-host\.invalid.*check CVMFS_SERVER_URL/, 'echo ran', { SERVER_URL: url });
});

test.serial('a server that accepts connections and hangs: given up after the time-outs that were set', async (t) => {
  const silent = await TestServer.start();
  t.teardown(() => silent.close());
  silent.fault(/./, { hang: true });
  const url = `${silent.url}/@fqrn@`;
  const quick = await refused(t, /no data for 1 s|within 1 s/, 'echo ran', {
    SERVER_URL: url,
    MAX_RETRIES: '0',
    TIMEOUT_DIRECT: '1',
  });
  t.true(quick >= 1000 && quick < 5000, `${quick} ms`);
  const retried = await refused(t, /1 s/, 'echo ran', { SERVER_URL: url, MAX_RETRIES: '2', TIMEOUT_DIRECT: '1' });
  t.true(retried >= 3000 && retried < 8000, `${retried} ms`);
});

const LISTEN = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  console.log(this.address().port);
})`;

test.serial('a server to which no connection can be made is given up too', async (t) => {
  // When nobody accepts and the backlog is full, the kernel drops what comes: like a host behind a silent firewall.
  const stopped = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => stopped.kill('SIGKILL'));
  const port = Number(await new Promise((resolve) => stopped.stdout.once('data', resolve)));
  stopped.kill('SIGSTOP');
  for (let i = 0; i < 8; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    t.teardown(() => socket.destroy());
  }
  await sleep(100);
  const settings = { SERVER_URL: `http://127.0.0.1:${port}/@fqrn@`, MAX_RETRIES: '0', TIMEOUT_DIRECT: '1' };
  const duration = await refused(t, /no connection within 1 s/, 'echo ran', settings);
  t.true(duration < 5000, `${duration} ms`);
});

test.serial('a second server is used when the first one hangs', async (t) => {
  const silent = await TestServer.start();
  t.teardown(() => silent.close());
  silent.fault(/./, { hang: true });
  const servers = {
    SERVER_URL: `${silent.url}/@fqrn@;${site.server.url}/@fqrn@`,
    MAX_RETRIES: '0',
    TIMEOUT_DIRECT: '1',
  };
  const { stdout, stderr, duration } = await place.run(launch(`cat /cvmfs/${FQRN}/one`, servers));
  t.is(stdout, 'one\n', stderr);
  t.regex(stderr, /switching from [^\n]* to [^\n]*/);
  t.true(duration < 6000, `${duration} ms`);
});

test.serial('no server is known for the name', async (t) => {
  await refused(t, /no server is known for failing\.example\.org: set CVMFS_SERVER_URL/, 'echo ran', {
    SERVER_URL: '',
  });
});

test.serial('no key is known for the name', async (t) => {
  const empty = join(place.directory, 'no-keys');
  mkdirSync(empty);
  await refused(t, /no master key for failing\.example\.org in .*: set CVMFS_PUBLIC_KEY/, 'echo ran', {
    KEYS_DIR: empty,
  });
  await refused(t, /cannot read CVMFS_KEYS_DIR=.*ENOENT/, 'echo ran', { KEYS_DIR: join(empty, 'missing') });
});

test.serial('words that cannot be understood', async (t) => {
  for (const [words, reason] of [
    [['-o', 'nonsense', FQRN], /-o nonsense: expected KEY=VALUE/],
    [['--no-such-option', FQRN], /unknown option --no-such-option; see 'cvmfsexec --help'/],
    [['../etc'], /'\.\.\/etc' is not a repository name.*; a command comes after '--'; see 'cvmfsexec --help'/],
    [['-o'], /option -o needs a value/],
    [[FQRN, '--config', '/nonexistent'], /cannot read the configuration directory \/nonexistent/],
  ] as const) {
    await refused(t, reason, 'echo ran', {}, { repositories: words });
  }
});

test.serial('a server or proxy that is no URL', async (t) => {
  await refused(t, /not a usable URL: 'ftp:\/\/x'/, 'echo ran', { SERVER_URL: 'ftp://x' });
  await refused(t, /not a usable URL|proxy/, 'echo ran', { HTTP_PROXY: 'http://' });
});

test.serial('a cache directory that cannot be used', async (t) => {
  const shut = join(place.directory, 'shut');
  mkdirSync(shut);
  chmodSync(shut, 0o555);
  const reason = /cannot use the cache directory .*: set CVMFS_CACHE_BASE to a writable one/;
  await refused(t, reason, 'echo ran', { CACHE_BASE: '/proc/nowhere' });
  await refused(t, reason, 'echo ran', { CACHE_BASE: '/etc/passwd/below' });
  if (identities.length > 1) await refused(t, reason, 'echo ran', { CACHE_BASE: shut });
});

test.serial('a full disk under the cache: reading goes on without storing', async (t) => {
  for (const as of identities) {
    const disk = place.newPath();
    const mounted = `mkdir -p "$0"; mount -t tmpfs -o size=1m,mode=0700 tmpfs "$0" && exec "$@"`;
    const wrapper = ['unshare', ...(as === ordinaryUser ? ['-rm'] : ['-m']), 'sh', '-c', mounted, disk];
    const script = `cd /cvmfs/${FQRN}; for pass in 1 2; do sha256sum large-* one; done; df --output=avail '${disk}' | tail -1`;
    const { exitCode, stdout, stderr } = await place.run(launch(script, { CACHE_BASE: disk }, { as, wrapper }));
    const lines = stdout.split('\n');
    t.is(lines.length, 2 * (LARGE_FILES + 1) + 2, stderr);
    t.deepEqual(lines.slice(0, LARGE_FILES + 1), lines.slice(LARGE_FILES + 1, 2 * (LARGE_FILES + 1)));
    t.deepEqual(
      lines.slice(0, LARGE_FILES + 1).map((line) => line.split(/ +/)[0]),
      site.repository
        .listing()
        .filter(({ path }) => /large|one/.test(path))
        .map(({ sha256 }) => sha256),
    );
    t.regex(stderr, /^cvmfsexec: [^\n]*going on without storing\n$/);
    t.is(exitCode, 0);
  }
});

test.serial('a server that goes away: what is cached is still read, all else is EIO after the time-outs', async (t) => {
  const leaving = await TestServer.start({ root: site.repository.serverRoot });
  t.teardown(() => leaving.close());
  const script = `cd /cvmfs/${FQRN} && cat one && read line && cat one; cat two; echo "= $?"; ls | wc -l`;
  const settings = { SERVER_URL: `${leaving.url}/@fqrn@` };
  const job = place.start(launch(script, settings));
  job.stdout?.once('data', () => {
    leaving.close().then(() => job.stdin?.end('gone\n'));
  });
  const { stdout, stderr, exitCode, durationMs } = await job;
  t.is(stdout, `one\none\n= 1\n${LARGE_FILES + 2}\n`, String(stderr));
  t.regex(String(stderr), /cannot download \/two: [^\n]*connection refused/);
  t.regex(String(stderr), /cat: two: Input\/output error/);
  t.is(exitCode, 0);
  t.true(durationMs < 10_000, `${durationMs} ms`);
});

test.serial(
  'a server that hangs after mounting: EIO after the time-outs, and the reader can be killed before',
  async (t) => {
    const hanging = await TestServer.start({ root: site.repository.serverRoot });
    t.teardown(() => hanging.close());
    hanging.fault(/./, { hang: true }, 0);
    const script = `cd /cvmfs/${FQRN} && cat one && read line; timeout -s KILL 0.3 cat two; echo "= $?"; cat two; echo "= $?"`;
    const job = place.start(
      launch(script, { SERVER_URL: `${hanging.url}/@fqrn@`, MAX_RETRIES: '0', TIMEOUT_DIRECT: '2' }),
    );
    job.stdout?.once('data', () => {
      hanging.fault(/./, { hang: true });
      job.stdin?.end('hanging\n');
    });
    const { stdout, stderr, durationMs } = await job;
    t.is(stdout, 'one\n= 137\n= 1\n', String(stderr));
    t.true(durationMs < 10_000, `${durationMs} ms`);
  },
);

test.serial('a server that comes back is used again in the same mount', async (t) => {
  const flaky = await TestServer.start({ root: site.repository.serverRoot });
  t.teardown(() => flaky.close());
  flaky.fault(/data\/.*[0-9a-f]$/, { reset: true });
  const script = `cd /cvmfs/${FQRN}; cat one; echo "= $?"; read line; cat one`;
  const job = place.start(launch(script, { SERVER_URL: `${flaky.url}/@fqrn@` }));
  job.stdout?.once('data', () => {
    flaky.clearFaults();
    job.stdin?.end('back\n');
  });
  const { stdout, stderr } = await job;
  t.is(stdout, '= 1\none\n', String(stderr));
});

test.serial('a proxy that is down, and one that works', async (t) => {
  const proxy = await TestServer.start();
  t.teardown(() => proxy.close());
  const down = `http://127.0.0.1:${await closedPort()}`;
  const before = site.server.requests.length;
  for (const proxies of [`${down};${proxy.url}`, `${down}|${proxy.url}`]) {
    const { stdout, stderr, exitCode } = await place.run(
      launch(`cat /cvmfs/${FQRN}/one`, { HTTP_PROXY: proxies, MAX_RETRIES: '0' }),
    );
    t.is(stdout, 'one\n', stderr);
    t.is(exitCode, 0);
  }
  t.true(proxy.requests.every(({ target }) => target.startsWith(site.server.url)));
  t.is(site.server.requests.length - before, proxy.requests.length, 'nothing went past the proxy');
  await refused(t, /check CVMFS_HTTP_PROXY and the proxy/, 'echo ran', { HTTP_PROXY: down, MAX_RETRIES: '0' });
});

test.serial('when the server was seen before and is gone, the cached revision is mounted', async (t) => {
  const leaving = await TestServer.start({ root: site.repository.serverRoot });
  const settings = { SERVER_URL: `${leaving.url}/@fqrn@`, CACHE_BASE: place.newPath(), MAX_RETRIES: '0' };
  const script = `cat /cvmfs/${FQRN}/one`;
  await place.run(launch(script, settings));
  await leaving.close();
  await sleep(10);
  t.like(await place.run(launch(script, settings)), { stdout: 'one\n', stderr: '' }, 'within the TTL');
  const record = `${settings.CACHE_BASE}/shared/cvmfsverified.${FQRN}`;
  writeFileSync(record, readFileSync(record, 'utf8').replace(/"verified":\d+/, '"verified":1'));
  const { stdout, stderr } = await place.run(launch(script, settings));
  t.is(stdout, 'one\n');
  t.regex(
    stderr,
    /^cvmfsexec: failing\.example\.org: using revision 1 from the cache: [^\n]*connection refused[^\n]*\n$/,
  );
});
