// Builds dist/: one CommonJS bundle, the loader that runs it from a shipped code cache, and that cache.
// CommonJS because it starts faster than a bundled ES module; ASCII output because the loader reads Latin-1.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const staging = join(root, `dist.${process.pid}`);

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
await build({
  entryPoints: [join(root, 'src/cli/main.ts')],
  outfile: join(staging, 'app.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  minify: true,
  legalComments: 'none',
  define: { 'process.env.CVMFSEXEC_VERSION': JSON.stringify(version) },
  logLevel: 'warning',
});
copyFileSync(join(root, 'src/cli/start.cjs'), join(staging, 'start.cjs'));

// The cache is made at the end of a run that did real work, so that it holds the functions a start compiles.
const cacheFile = join(staging, 'app.cache');
execFileSync(process.execPath, [join(staging, 'start.cjs'), 'warm-up'], {
  env: { PATH: process.env.PATH, CVMFSEXEC_WRITE_CODE_CACHE: cacheFile },
  stdio: ['ignore', 'inherit', 'inherit'],
});
statSync(cacheFile);
writeFileSync(join(staging, 'VERSION'), `${version}\n`);

// Swapped by renames, so that a program starting meanwhile finds the old or the new one.
rmSync(`${dist}.old`, { recursive: true, force: true });
try {
  renameSync(dist, `${dist}.old`);
} catch {
  // first build
}
renameSync(staging, dist);
rmSync(`${dist}.old`, { recursive: true, force: true });
