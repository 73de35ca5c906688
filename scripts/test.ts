// `npm test`: installs the Debian packages that the tests drive (as root; otherwise says what is missing), builds, and
// runs every test. Arguments are passed on to ava. The last line counts what passed and failed.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..');

/** Programs that tests drive, and the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  bash: 'bash',
  busybox: 'busybox',
  crun: 'crun',
  debootstrap: 'debootstrap',
  'dh_bash-completion': 'bash-completion',
  fish: 'fish',
  'fuse-overlayfs': 'fuse-overlayfs',
  fuse2fs: 'fuse2fs',
  fusermount3: 'fuse3',
  getfattr: 'attr',
  man: 'man-db',
  mandoc: 'mandoc',
  modulecmd: 'environment-modules',
  mpirun: 'openmpi-bin',
  munged: 'munge',
  'musl-gcc': 'musl-tools',
  newuidmap: 'uidmap',
  nginx: 'nginx-light',
  perl: 'perl',
  podman: 'podman',
  ps: 'procps',
  python3: 'python3',
  sbatch: 'slurm-client',
  script: 'bsdutils',
  setpriv: 'util-linux',
  shellcheck: 'shellcheck',
  slurmctld: 'slurmctld',
  slurmd: 'slurmd',
  squid: 'squid',
  zsh: 'zsh',
};

function installMissingPackages(): void {
  const missing = Object.keys(PROGRAMS).filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PROGRAMS[program]))];
  if (process.getuid?.() !== 0) {
    console.log(`Tests that need these Debian packages will be skipped: ${packages.join(' ')}`);
    return;
  }
  console.log(`Installing for the tests: ${packages.join(' ')}`);
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '-o', 'Dpkg::Use-Pty=0', '--no-install-recommends', ...packages]);
}

function isInstalled(program: string): boolean {
  const path = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;
  return path.split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(command: string, args: string[]): SpawnSyncReturns<Buffer> {
  // Packages must not start their services on the machine of whoever runs the tests.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  if (result.status !== 0) {
    console.error(`${command} ${args.join(' ')} failed (${result.signal ?? result.status})`);
    process.exit(1);
  }
  return result;
}

/** Runs ava, showing its output as it comes; resolves to its exit code and how many tests it counted. */
function runAva(args: string[]): Promise<{ code: number; passed: number; failed: number; skipped: number }> {
  return new Promise((resolve) => {
    const ava = spawn(process.execPath, [join(root, 'node_modules/ava/entrypoints/cli.js'), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // One line a test: ✔ passed, ✘ failed, - skipped. Below a rule, differences of failed ones, which look alike.
    const counts = { '✔': 0, '✘': 0, '-': 0 };
    let ruled = false;
    const lines = createInterface({ input: ava.stdout });
    lines.on('line', (line) => {
      console.log(line);
      const mark = /^ {2}(✔|✘|-) /.exec(line)?.[1] as keyof typeof counts | undefined;
      ruled ||= line.trim() === '─';
      if (mark && !ruled) counts[mark]++;
    });
    ava.on('close', (code) => {
      resolve({ code: code ?? 1, passed: counts['✔'], failed: counts['✘'], skipped: counts['-'] });
    });
  });
}

installMissingPackages();
run(process.execPath, [join(root, 'scripts/build.ts')]);
const { code, passed, failed, skipped } = await runAva(process.argv.slice(2));
const failures = code !== 0 && failed === 0 ? 1 : failed;
console.log(`${passed} passed, ${failures} failed, ${skipped} skipped`);
process.exit(code === 0 && passed === 0 ? 1 : code);
