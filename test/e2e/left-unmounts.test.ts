// A server that is killed as it unmounts what the job has asked it to: the job goes on, and has its answer from the next one.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { prepareSiteOfSeveral } from '../support/site.ts';

const [ONE, TWO, THREE] = ['one.example.org', 'two.example.org', 'three.example.org'];
const site = prepareSiteOfSeveral(test, [ONE, TWO, THREE], (tree, fqrn) => {
  writeFileSync(join(tree, 'name'), `this is ${fqrn}\n`);
});
const { place } = site;

/** What umount(8) does the first time. Its parent is the server. */
const KILLING = {
  'when it is unmounted': '"$UMOUNT" "$@"; kill -9 $PPID; exit 1',
  'before it is unmounted': 'kill -9 $PPID; sleep 0.5; exec "$UMOUNT" "$@"',
  'long before it is unmounted': 'kill -9 $PPID; sleep 2.5; exec "$UMOUNT" "$@"',
};

const JOBS = {
  'the only repository of the launch': { where: `/cvmfs/${ONE}`, script: `"$CVMFSUMOUNT" ${ONE}; echo $?; ls /cvmfs` },
  'one that was mounted from inside': {
    where: `/cvmfs/${TWO}`,
    script: `"$CVMFSMOUNT" ${TWO}; "$CVMFSUMOUNT" ${TWO}; echo $?; "$CVMFSUMOUNT" ${ONE}; ls /cvmfs`,
  },
};

for (const [what, { where, script }] of Object.entries(JOBS)) {
  for (const [when, program] of Object.entries(KILLING)) {
    test.serial(`a server is killed as it unmounts ${what}, ${when}`, async (t) => {
      const bin = place.newPath();
      mkdirSync(bin);
      const stand = `#!/bin/sh
case " $* " in *" ${where} "*) [ -e ${bin}/done ] || { >${bin}/done; ${program}; } ;; esac
exec "$UMOUNT" "$@"
`;
      writeFileSync(join(bin, 'umount'), stand, { mode: 0o755 });
      chmodSync(bin, 0o777);
      const outcome = await place.run({
        repositories: [ONE],
        command: ['sh', '-c', `${script}; "$CVMFSMOUNT" ${THREE} && cat /cvmfs/${THREE}/name`],
        wrapper: ['env', `PATH=${bin}:${process.env.PATH}`, 'UMOUNT=/usr/bin/umount'],
        parameters: { SERVER_URL: `${site.server.url}/@fqrn@`, KEYS_DIR: site.repositories.clientKeys },
      });
      t.is(outcome.stderr, 'cvmfsexec: the file system server ended (signal 9); a new one takes over\n');
      t.is(outcome.stdout, `0\nthis is ${THREE}\n`);
    });
  }
}
