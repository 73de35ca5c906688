// The examples for modules, containers and continuous integration, and the recipes of package managers: run where that can be
// done, else read by what reads them.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import test from 'ava';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { apptainerRoot } from '../support/apptainer-root.ts';
import { user } from '../support/ordinary-user.ts';
import { GREETING, HELLO, Newcomer } from './newcomer.ts';

const newcomer = new Newcomer();
test.after.always(() => newcomer.close());
const example = (name: string) => join(newcomer.examples, name);

test('every script passes shellcheck', (t) => {
  const scripts = readdirSync(newcomer.examples, { recursive: true, encoding: 'utf8' })
    .map(example)
    .filter((path) => statSync(path).isFile() && readFileSync(path, 'latin1').startsWith('#!/bin/sh\n'));
  t.true(scripts.length >= 8);
  const { stdout, status } = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  t.is(stdout, '');
  t.is(status, 0);
});

test('the table names every example', (t) => {
  const table = readFileSync(example('README.md'), 'utf8');
  for (const name of readdirSync(newcomer.examples)) {
    if (name !== 'README.md') t.true(table.includes(`(${name}`), name);
  }
});

test.serial('demo: jobs that come first at the same time publish it once', async (t) => {
  const home = newcomer.directory('fresh-home');
  const hello = ['cvmfsexec', 'demo.example.org', '--', `${HELLO}/latest/bin/hello`];
  const jobs = await Promise.all([1, 2, 3].map(() => newcomer.demo(hello, { env: { HOME: home } })));
  for (const { stdout, stderr } of jobs) t.regex(stdout, GREETING, stderr);
  t.deepEqual(readdirSync(join(home, '.cache')), ['cvmfsexec-demo']);
});

const modules = '/usr/share/modules/init/bash';
const withModules = existsSync(modules) ? test.serial : test.skip;

withModules('module load brings cvmfsexec, module unload takes it away', async (t) => {
  const script = `. ${modules}; module use "$1"; module load modulefile
    demo/env cvmfsexec demo.example.org -- ${HELLO}/latest/bin/hello; type cvmfsexec; module whatis modulefile 2>&1
    module unload modulefile; type cvmfsexec`;
  const words = ['bash', '-c', `cd "$1"; ${script}`, 'bash', newcomer.examples];
  const { stdout, exitCode } = await newcomer.place.command(words, { env: { HOME: newcomer.home } });
  const [greeting, type, ...whatis] = stdout.split('\n');
  t.regex(`${greeting}\n`, GREETING);
  t.is(type, `cvmfsexec is ${newcomer.place.program}`);
  t.regex(whatis.join('\n'), /cvmfsexec: CernVM-FS without root/);
  t.is(exitCode, 1, 'after unload there is none');
});

const root = apptainerRoot();
const withApptainer = 'missing' in root ? test.skip : test.serial;

withApptainer(
  'apptainer: the demo is in the container, with the arguments and the exit status of the command',
  async (t) => {
    const directory = 'directory' in root ? root.directory : '';
    const inside = join(import.meta.dirname, '../support/in-root.sh');
    // The image: the root directory itself.
    const script = `cd ${newcomer.examples}; demo/env ./apptainer.sh /mnt/debian
    demo/env ./apptainer.sh /mnt/debian sh -c 'cat /etc/os-release; ls "$1"; exit 5' sh /cvmfs/demo.example.org; echo "status $?"`;
    rmSync(newcomer.place.node); // a link to where that root does not reach
    copyFileSync(process.execPath, newcomer.place.node);
    const { stdout, stderr } = await newcomer.place.command(
      ['sh', inside, directory, user.name, newcomer.place.directory, 'sh', '-c', script],
      { as: { name: 'root', uid: 0, gid: 0, prefix: [] }, limit: 120 },
    );
    t.regex(stdout.slice(0, stdout.indexOf('\n') + 1), GREETING, stderr);
    t.regex(stdout, /\bID=debian\n(.*\n)*README\ndata\nsoftware\nstatus 5\n$/);
  },
);

test('GitHub workflow: valid, and its steps run in their order', async (t) => {
  const text = readFileSync(example('github-workflow.yml'), 'utf8');
  t.deepEqual(validateWorkflow(text).errors, []);
  const { steps } = parse(text).jobs.job as { steps: { name?: string; run?: string; env?: Record<string, string> }[] };
  // The package is built already, and the machine's settings are not a test's business.
  const job = steps.find(({ name }) => name === 'Run the job');
  t.deepEqual(steps.map(({ run }) => run?.trim().split('\n')[0]).filter(Boolean), [
    'npm ci',
    'sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0',
    job?.run?.trim(),
  ]);
  const cache = newcomer.directory('runner-temp');
  const { stdout, exitCode } = await newcomer.place.command(['bash', '-e', '-c', `cd ../package; ${job?.run}`], {
    env: {
      HOME: newcomer.home,
      CVMFS_CACHE_BASE: job?.env?.CVMFS_CACHE_BASE.replace(/^\$\{\{ runner\.temp \}\}/, cache) ?? '',
    },
  });
  t.is(exitCode, 0);
  t.regex(stdout, GREETING);
  t.deepEqual(readdirSync(cache), ['cvmfs-cache']);
});

test('Kubernetes: the pod is not privileged and asks for what a launch needs', (t) => {
  const pod = parse(readFileSync(example('kubernetes.yml'), 'utf8'));
  t.is(`${pod.apiVersion} ${pod.kind}`, 'v1 Pod');
  const [{ securityContext, resources, command, volumeMounts }] = pod.spec.containers;
  t.deepEqual(securityContext, {
    allowPrivilegeEscalation: false,
    seccompProfile: { type: 'Unconfined' },
    appArmorProfile: { type: 'Unconfined' },
    capabilities: { drop: ['ALL'] },
  });
  t.deepEqual(Object.keys(resources.limits), ['memory', 'smarter-devices/fuse']);
  t.deepEqual(
    volumeMounts.map(({ name }: { name: string }) => name),
    pod.spec.volumes.map(({ name }: { name: string }) => name),
  );
  t.is(command[0], '/opt/cvmfsexec/examples/demo/env');
});

/** Names and values that a Python file sets, by Python's own reader. */
function python(file: string, program: string): unknown {
  const { stdout, stderr, status } = spawnSync('python3', ['-I', '-c', `import ast, json, sys\n${program}`, file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test('EasyBuild: the easyconfig is for this version, and installs what npm pack packs', (t) => {
  const file = example(`cvmfsexec-${packageJson.version}.eb`);
  const config = python(
    file,
    `SYSTEM = "system"
names = {"SYSTEM": SYSTEM}
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), names)
names.pop("__builtins__")
print(json.dumps(names))`,
  ) as Record<string, unknown> & { sources: string[]; sanity_check_paths: { files: string[]; dirs: string[] } };
  t.is(config.version, packageJson.version);
  t.is(config.easyblock, 'Tarball');
  t.deepEqual(config.sources, ['%(name)s-ts-%(version)s.tgz']);
  for (const name of ['homepage', 'description', 'toolchain', 'moduleclass']) t.truthy(config[name], name);
  const top = dirname(dirname(newcomer.place.program));
  for (const path of [...config.sanity_check_paths.files, ...config.sanity_check_paths.dirs]) {
    t.true(existsSync(join(top, path)), path);
    t.true(
      packageJson.files.some((packed) => path.startsWith(packed.replace(/\/\*\*.*/, ''))),
      path,
    );
  }
});

test('Spack: the class is named as its directory, and is for this version', (t) => {
  const file = example('spack/cvmfsexec/package.py');
  const [name, bases, calls] = python(
    file,
    `tree = ast.parse(open(sys.argv[1]).read())
[made] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
calls = [[c.value.func.id, *(ast.literal_eval(a) for a in c.value.args)]
         for c in made.body if isinstance(c, ast.Expr) and isinstance(c.value, ast.Call)]
print(json.dumps([made.name, [b.id for b in made.bases], calls]))`,
  ) as [string, string[], string[][]];
  t.is(name, 'Cvmfsexec');
  t.deepEqual(bases, ['Package']);
  t.deepEqual(calls, [
    ['license', packageJson.license],
    ['version', packageJson.version],
    ['depends_on', 'node-js@22.20:'],
  ]);
  t.true(readFileSync(file, 'utf8').includes(`${packageJson.name}-${packageJson.version}.tgz`));
});
