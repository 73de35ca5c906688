// cvmfsexec doctor on this host, and on hosts where something is missing.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { TestServer } from '../support/http-server.ts';
import { isRoot } from '../support/ordinary-user.ts';
import { Installation, ordinaryUser } from '../support/run-cvmfsexec.ts';
import { makeTamperable, type Tamperable } from '../support/tamperable-repository.ts';

const install = new Installation();
let tamperable: Tamperable;
let server: TestServer;

test.before(async () => {
  tamperable = await makeTamperable();
  server = await TestServer.start({ root: tamperable.repository.serverRoot });
});
test.after.always(async () => {
  await install.close();
  await server?.close();
  tamperable?.repository.remove();
});

/** Only root can change what a program takes for the host. */
const asHost = isRoot ? test.serial : test.serial.skip;

interface Found {
  readonly subject: string;
  readonly state: string;
  readonly text: string;
  readonly advice?: string;
}

/** Runs it as the ordinary user. `host`: shell code that root runs first, in a mount namespace of its own. */
async function doctor(words: readonly string[], { host, path }: { host?: string; path?: string } = {}) {
  const wrapper = host ? ['unshare', '--mount', 'sh', '-e', '-c', `${host}\nexec "$@"`, 'sh'] : [];
  const [file, ...args] = [...wrapper, ...ordinaryUser.prefix, install.program, 'doctor', ...words];
  return await execa(file, args, {
    cwd: install.scratch,
    env: { PATH: path ?? process.env.PATH },
    extendEnv: false,
    reject: false,
    timeout: 120_000,
  });
}

async function found(words: readonly string[], host = {}): Promise<{ exitCode: number | undefined; all: Found[] }> {
  const { exitCode, stdout } = await doctor(['--json', ...words], host);
  const sections: { findings: Found[] }[] = JSON.parse(stdout);
  return { exitCode, all: sections.flatMap(({ findings }) => findings) };
}

const of = (all: readonly Found[], subject: string) => all.filter((finding) => finding.subject === subject);

function options(more: Record<string, string> = {}): string[] {
  const parameters = {
    SERVER_URL: `${server.url}/@fqrn@`,
    HTTP_PROXY: 'DIRECT',
    KEYS_DIR: tamperable.repository.clientKeys,
    CACHE_BASE: install.newPath(),
    MAX_RETRIES: '0',
    ...more,
  };
  return Object.entries(parameters).flatMap(([name, value]) => ['-o', `CVMFS_${name}=${value}`]);
}

/** Programs that stand before the system's. */
function shims(programs: Record<string, string>): string {
  const directory = mkdtempSync(join(install.directory, 'shims-'));
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/bash\n${code}\n`, { mode: 0o755 });
  }
  chmodSync(directory, 0o755);
  return `${directory}:${process.env.PATH}`;
}

test.serial('on this host and for a good repository there is no problem, and the mount is tried', async (t) => {
  const { fqrn } = tamperable.repository;
  const { exitCode, stdout, stderr } = await doctor([...options(), fqrn]);
  t.is(exitCode, 0, stdout + stderr);
  t.notRegex(stdout, /✘/);
  t.regex(stdout, /^This machine\n {2}✔ node {13}v\d+/);
  t.regex(stdout, new RegExp(`\n${fqrn}\n {2}✔ configuration {4}1 server, 1 master key, proxies DIRECT\n`));
  t.regex(stdout, / {2}✔ server {11}http:\S+ [\d.]+ ms directly\n/);
  t.regex(stdout, / {2}✔ clock {12}as the server’s\n/);
  t.regex(stdout, / {2}✔ whitelist {8}signed with a master key, valid until \d{4}-\d\d-\d\d\n/);
  t.regex(stdout, / {2}✔ trial mount {6}\d+ ms for a whole job, 4 entries in the root directory\n/);
  t.true(stdout.split('\n').length < 35);
});

test.serial('a server that is down, no server at all, no key, an expired whitelist', async (t) => {
  const { fqrn } = tamperable.repository;
  const down = 'http://127.0.0.1:1/@fqrn@';
  const one = await found([...options({ SERVER_URL: `${down};${server.url}/@fqrn@` }), fqrn]);
  t.deepEqual(
    of(one.all, 'server').map(({ state }) => state),
    ['warning', 'ok'],
  );
  t.is(one.exitCode, 0);
  const none = await found([...options({ SERVER_URL: down }), fqrn]);
  t.is(none.exitCode, 1);
  t.like(of(none.all, 'server')[0], { state: 'problem' });
  t.regex(of(none.all, 'trial mount')[0].text, /cannot mount .*connection refused/);
  const keyless = await found([...options({ KEYS_DIR: install.scratch }), fqrn]);
  t.is(keyless.exitCode, 1);
  t.regex(of(keyless.all, 'configuration')[0].text, /no master key/);
  server.fault(/cvmfswhitelist/, { body: tamperable.expiredWhitelist });
  t.teardown(() => server.clearFaults());
  const expired = await found([...options(), fqrn]);
  t.is(expired.exitCode, 1);
  t.regex(of(expired.all, 'whitelist')[0].text, /^expired on /);
  t.regex(of(expired.all, 'whitelist')[0].advice ?? '', /clock/);
});

test.serial('a machine without user namespaces, with powerless ones, with an old util-linux', async (t) => {
  const refused = await found([], {
    path: shims({
      unshare: `case " $* " in *' --user '*) echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1 ;; esac; exec /usr/bin/unshare "$@"`,
    }),
  });
  t.is(refused.exitCode, 1);
  t.like(of(refused.all, 'user namespaces')[0], { state: 'problem' });
  t.regex(of(refused.all, 'user namespaces')[0].text, /Operation not permitted/);
  t.truthy(of(refused.all, 'user namespaces')[0].advice);

  // As AppArmor does: the namespace is made, but nothing in it has any capability.
  const powerless = await found([], {
    path: shims({
      unshare: `
        words=(); while [ $# -gt 0 ]; do case $1 in --propagation) words+=("$1" "$2"); shift 2 ;; --*) words+=("$1"); shift ;; *) break ;; esac; done
        [ $# -gt 0 ] || exec /usr/bin/unshare "\${words[@]}"
        exec /usr/bin/unshare "\${words[@]}" setpriv --bounding-set=-all --inh-caps=-all "$@"`,
    }),
  });
  t.is(powerless.exitCode, 1);
  t.like(of(powerless.all, 'user namespaces')[0], { state: 'ok' });
  t.like(of(powerless.all, 'mounting')[0], { state: 'problem' });
  t.regex(of(powerless.all, 'mounting')[0].text, /without the right to mount/);

  const old = await found([], {
    path: shims({
      unshare: `for o; do case $o in --map-user=*) exit 1 ;; esac; done; exec /usr/bin/unshare "$@"`,
      setpriv: `for o; do case $o in --pdeathsig) exit 1 ;; esac; done; exec /usr/bin/setpriv "$@"`,
    }),
  });
  t.is(old.exitCode, 0);
  t.regex(of(old.all, 'util-linux')[0].text, /no unshare --map-user \(2\.36\), setpriv --pdeathsig/);
});

asHost('a host without /dev/fuse, and one where /proc is partly covered', async (t) => {
  const without = await found([], { host: 'mount --bind /etc/hostname /dev/fuse' });
  t.is(without.exitCode, 1);
  t.like(of(without.all, '/dev/fuse')[0], { state: 'problem' });
  t.like(of(without.all, 'mounting')[0], { state: 'problem' });
  const covered = await found([], {
    host: 'mount -t tmpfs -o ro tmpfs /proc/acpi 2>/dev/null || mount -t tmpfs -o ro tmpfs /proc/bus',
  });
  t.is(covered.exitCode, 0);
  const [pids] = of(covered.all, 'pid namespace');
  t.like(pids, { state: 'warning' });
  t.regex(pids.text, /\/proc\/(acpi|bus) cover/);
});

test.serial('limits that are too low', async (t) => {
  const doctor = (limit: string) => {
    const [file, ...args] = [...ordinaryUser.prefix, 'sh', '-c', `${limit}; exec "$0" doctor --json`, install.program];
    const env = { PATH: process.env.PATH };
    return execa(file, args, { cwd: install.scratch, env, extendEnv: false, reject: false });
  };
  const sections: { findings: Found[] }[] = JSON.parse((await doctor('ulimit -n 256')).stdout);
  t.like(of(sections[0].findings, 'limits')[0], { state: 'warning', text: '256 open files' });
  // Node crashes.
  const { stderr, exitCode } = await doctor('ulimit -n 24');
  t.is(stderr, 'cvmfsexec: at least 64 open files are needed, and `ulimit -n` allows 24: raise it to 512 or more');
  t.is(exitCode, 125);
  t.regex(
    (await doctor('ulimit -v 1000000')).stderr,
    /^cvmfsexec: an address space of 2 GB is needed.*ulimit -v[^\n]*$/,
  );
});
