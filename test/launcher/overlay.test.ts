// Overlays under all shells that /bin/sh can be. The stand-in server's repository is a directory in a tmpfs.
import test from 'ava';
import { shells, Workplace } from './job.ts';

const place = new Workplace();
test.after.always(() => place.close());

for (const shell of shells) {
  test.serial(`${shell}: overlays of both engines, kept or not, are made before the command starts`, async (t) => {
    for (const engine of ['kernel', 'fuse']) {
      const kept = `${place.scratch}/kept '${shell}', ${engine}`;
      const words = (overlay: string, script: string) => [
        place.program,
        'test.example.org',
        `--overlay=test.example.org${overlay}`,
        `--overlay-engine=${engine}`,
        '--',
        'sh',
        '-c',
        `cd /cvmfs/test.example.org && ${script}`,
      ];
      const first = await place.run(words(`:${kept}`, 'chmod u+w .; echo more >>hello; echo new >new; cat'), {
        shell,
        stdin: 'input\n',
      });
      t.is(first.stderr, '');
      t.is(first.stdout.toString(), 'input\n');
      const second = await place.run(words(`:${kept}`, 'cat hello new; exit 7'), { shell });
      t.is(second.stdout.toString(), 'test.example.org\nmore\nnew\n', second.stderr);
      t.is(second.code, 7);
      const thrown = await place.run(words('', 'ls; chmod u+w .; echo x >hello; rm hello; ls; kill -TERM $$'), {
        shell,
      });
      t.is(thrown.stdout.toString(), 'hello\n', thrown.stderr);
      t.is(thrown.signal, 'SIGTERM');
      const refused = await place.run(words('/nowhere', 'true'), { shell });
      t.is(refused.code, 125);
      t.is(
        refused.stderr,
        'cvmfsexec: --overlay test.example.org/nowhere: there is no directory /cvmfs/test.example.org/nowhere\n',
      );
    }
    // With no more than the user's rights.
    await place.run(['sh', '-c', 'rm -r kept*']);
    t.deepEqual(await place.leftovers(), []);
  });
}
