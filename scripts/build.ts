// Builds dist/: two CommonJS bundles, the loader that runs them from shipped code caches, and those caches.
// CommonJS because it starts faster than a bundled ES module; ASCII output because the loader reads Latin-1.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { withDir } from 'tmp-promise';
import { lazyBuiltins } from './lazy-builtins.ts';
import { writeManual } from './manual/manual.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const staging = join(root, `dist.${process.pid}`);

mkdirSync(staging);
// Gone by then, unless the build failed.
process.on('exit', () => rmSync(staging, { recursive: true, force: true }));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
await build({
  entryPoints: ['serving', 'tools'].map((name) => join(root, `src/cli/${name}.ts`)),
  outdir: staging,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  minify: true,
  legalComments: 'none',
  define: { 'process.env.CVMFSEXEC_VERSION': JSON.stringify(version), 'performance.now': 'monotonicNow' },
  inject: [join(root, 'scripts/monotonic-clock.ts')],
  logLevel: 'warning',
  plugins: [lazyBuiltins],
});
copyFileSync(join(root, 'src/cli/start.cjs'), join(staging, 'start.cjs'));

// The caches are made at the end of runs that do what a start does, so that they hold the functions a start compiles.
const start = join(staging, 'start.cjs');
await withDir(
  async ({ path: work }) => {
    const repository = [join(work, 'warm-up.example.org'), 'warm-up.example.org', '--keys', join(work, 'keys')];
    mkdirSync(join(work, 'tree/nested'), { recursive: true });
    writeFileSync(join(work, 'tree/nested/.cvmfscatalog'), '');
    writeFileSync(join(work, 'tree/nested/file'), 'content');
    run('cvmfs-publish', 'create', ...repository, '--no-sync');
    run('cvmfs-publish', 'publish', repository[0], join(work, 'tree'), '--keys', join(work, 'keys'), '--no-sync');
    writeCache('serving', 'warm-up', work, 'warm-up.example.org');
    writeCache('tools', 'cvmfsexec', '--help');
  },
  { unsafeCleanup: true },
);
writeFileSync(join(staging, 'VERSION'), `${version}\n`);
await writeManual({ start, root, version, directory: staging });

// Swapped by renames, so that a program starting meanwhile finds the old or the new one.
rmSync(`${dist}.old`, { recursive: true, force: true });
try {
  renameSync(dist, `${dist}.old`);
} catch {
  // first build
}
renameSync(staging, dist);
rmSync(`${dist}.old`, { recursive: true, force: true });

function writeCache(bundle: string, ...args: string[]): void {
  const cache = join(staging, `${bundle}.${process.arch}.cache`);
  process.env.CVMFSEXEC_WRITE_CODE_CACHE = cache;
  run(...args);
  delete process.env.CVMFSEXEC_WRITE_CODE_CACHE;
  statSync(cache);
}

function run(...args: string[]): void {
  execFileSync(process.execPath, [start, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}
