// CVMFS_DNS_ROAMING: the name server of a running mount changes (client.md §7.11).
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { temporaryDirectory } from '../../support/object-fixture.ts';

test('a machine that goes to another network asks its name server, for all that share a resolver and without a proxy', async (t) => {
  const program = join(import.meta.dirname, 'roaming-program.ts');
  const spaces = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child'];
  const words = [...spaces, process.execPath, program, join(temporaryDirectory(t), 'resolv.conf')];
  const { stdout } = await promisify(execFile)('unshare', words, { timeout: 60_000 });
  t.deepEqual(JSON.parse(stdout), {
    before: ['home', 'home', 'home'],
    after: ['away', 'away', 'away'],
  });
});
