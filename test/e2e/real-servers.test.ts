// The servers that sites run: nginx for the repository, squid as the proxy on the way to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';

const NGINX = '/usr/sbin/nginx';
const SQUID = '/usr/sbin/squid';
const installed = existsSync(NGINX) && existsSync(SQUID);

const place = new Installation();
const children: ChildProcess[] = [];
let repository: TestRepository | undefined;
let nginxPort = 0;
let squidPort = 0;
let squidLog = '';

test.before(async () => {
  if (!installed) return;
  repository = await makeTestRepository({});
  const nginx = join(place.directory, 'nginx');
  mkdirSync(nginx);
  nginxPort = await freePort();
  writeFileSync(
    join(nginx, 'nginx.conf'),
    `pid ${nginx}/pid; error_log ${nginx}/error.log; daemon off; worker_processes 1; user root;
     events {} http { access_log off; server { listen 127.0.0.1:${nginxPort}; root ${repository.serverRoot}; } }`,
  );
  start(NGINX, ['-c', join(nginx, 'nginx.conf'), '-e', join(nginx, 'error.log')]);
  const squid = join(place.directory, 'squid');
  mkdirSync(squid);
  chmodSync(squid, 0o777);
  squidPort = await freePort();
  squidLog = join(squid, 'access.log');
  writeFileSync(
    join(squid, 'squid.conf'),
    `http_port 127.0.0.1:${squidPort}\nhttp_access allow localhost\nhttp_access deny all\ncache deny all\npid_filename none
access_log stdio:${squidLog}\ncache_log ${squid}/cache.log\nshutdown_lifetime 0 seconds\nnetdb_filename none\npinger_enable off\n`,
  );
  start(SQUID, ['-N', '-f', join(squid, 'squid.conf')]);
  await Promise.all([listening(nginxPort), listening(squidPort)]);
});

test.after.always(async () => {
  await Promise.all(children.map(stop));
  repository?.remove();
  await place.close();
});

function start(program: string, args: string[]): void {
  children.push(spawn(program, args, { stdio: 'ignore' }));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(killer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
        .once('connect', () => resolve(true))
        .once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port} after 20 s`);
}

const COMMAND = [
  'sh',
  '-c',
  'cd /cvmfs/$0 && find . -type f -readable -print0 2>/dev/null | sort -z | xargs -0 cat | sha256sum',
];

for (const [name, proxy] of [
  ['directly', () => 'DIRECT'],
  ['through squid', () => `http://127.0.0.1:${squidPort}`],
] as const) {
  test.serial(`every file of a repository that nginx serves is read ${name}`, async (t) => {
    if (!repository) {
      t.log('skipped: nginx or squid is not installed');
      t.pass();
      return;
    }
    const { exitCode, stdout, stderr } = await place.run({
      repositories: [repository.fqrn],
      parameters: {
        SERVER_URL: `http://127.0.0.1:${nginxPort}/@fqrn@`,
        KEYS_DIR: repository.clientKeys,
        HTTP_PROXY: proxy(),
      },
      command: [...COMMAND, repository.fqrn],
    });
    t.is(stderr, '');
    t.is(exitCode, 0);
    t.regex(stdout, /^[0-9a-f]{64} {2}-\n$/);
    t.not(stdout.slice(0, 64), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    if (proxy() !== 'DIRECT') t.regex(readFileSync(squidLog, 'latin1'), /TCP_\S+\/200 \S+ GET \S+\/\.cvmfspublished/);
  });
}
