// A server that is killed while its mount(8) is at work: the next one waits for that program, and nothing is mounted twice.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Servers } from '../../soak/servers.ts';
import { prepareSiteOfSeveral } from '../support/site.ts';

const [ONE, TWO] = ['one.example.org', 'two.example.org'];
const site = prepareSiteOfSeveral(test, [ONE, TWO], (tree, fqrn) => writeFileSync(join(tree, 'name'), `${fqrn}\n`));
const { place } = site;
const servers = new Servers(place.directory);

/** Programs that stand in for mount(8) where it mounts repositories, `RUNS` is a file that gets a line for each. */
const SLOW = {
  'before it mounts': `#!/bin/sh
case " $* " in *" -t fuse "*" WHERE "*) echo run >>RUNS; sleep 1.5 ;; esac
exec "$MOUNT" "$@"
`,
  // It is through before the next server looks: only those who wait for the mount have not been answered.
  'as it mounts': `#!/bin/sh
case " $* " in *" -t fuse "*" WHERE "*) echo run >>RUNS; sleep 0.05 ;; esac
exec "$MOUNT" "$@"
`,
  // As mount(8) of util-linux 2.39 does it: fsopen, fsconfig, fsmount, move_mount. The numbers are those of all machines.
  'between making the file system and putting it to its place': `#!/usr/bin/python3
import ctypes, os, sys, time
args = sys.argv[1:]
if '-t' not in args or 'fuse' not in args or args[-1] != 'WHERE':
    os.execv(os.environ['MOUNT'], ['mount', *args])
open('RUNS', 'a').write('run\\n')
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    result = libc.syscall(*[ctypes.c_long(w) if isinstance(w, int) else w for w in words])
    if result < 0:
        sys.exit('mount: WHERE: ' + os.strerror(ctypes.get_errno()))
    return result
fs = call(430, b'fuse', 0)
flags = {'nosuid': 2, 'nodev': 4, 'ro': 1}
attributes = 0
for option in args[args.index('-o') + 1].split(','):
    key, _, value = option.partition('=')
    if key in flags:
        attributes |= flags[key]
    else:
        call(431, fs, 1 if value else 0, key.encode(), value.encode() if value else None, 0)
call(431, fs, 1, b'source', args[-2].encode(), 0)
call(431, fs, 6, None, None, 0)
time.sleep(1.5)
mount = call(432, fs, 0, attributes)
call(429, mount, b'', -100, args[-1].encode(), 4)
`,
};

const JOBS = {
  // One with its full name is mounted before the server is there.
  'a repository that is named in short': { where: `/cvmfs/${ONE}`, options: [], repositories: ['one'] },
  'a repository that somebody goes to': { where: `/cvmfs/${ONE}`, options: ['--auto'], repositories: [] },
  '/cvmfs itself': { where: '/cvmfs', options: ['--auto'], repositories: [] },
};

for (const [what, { where, options, repositories }] of Object.entries(JOBS)) {
  for (const [when, program] of Object.entries(SLOW)) {
    // Its --make-shared is a second step, which the stand-in does not know.
    if (where === '/cvmfs' && program.includes('python')) continue;
    test.serial(`a server is killed while mount(8) of ${what} is at work, ${when}: it is mounted once`, async (t) => {
      const runs = place.newPath();
      const bin = place.newPath();
      mkdirSync(bin);
      writeFileSync(join(bin, 'mount'), program.replaceAll('RUNS', runs).replaceAll('WHERE', where), { mode: 0o755 });
      chmodSync(bin, 0o755);
      const script = `cat /cvmfs/${ONE}/name; cat /cvmfs/${ONE}/name; grep -c " ${where} .* - fuse" /proc/self/mountinfo`;
      const running = place.start({
        options,
        repositories,
        command: ['sh', '-c', script],
        wrapper: ['env', `PATH=${bin}:${process.env.PATH}`, 'MOUNT=/usr/bin/mount'],
        parameters: {
          SERVER_URL: `${site.server.url}/@fqrn@`,
          KEYS_DIR: site.repositories.clientKeys,
          DEFAULT_DOMAIN: 'example.org',
        },
      });
      for (let i = 0; i < 1000 && !existsSync(runs); i++) await sleep(10);
      if (when !== 'as it mounts') await sleep(300);
      const [server] = servers.running;
      process.kill(server, 'SIGKILL');
      const { stdout, stderr } = await running;
      t.is(stderr, 'cvmfsexec: the file system server ended (signal 9); a new one takes over\n');
      t.is(stdout, `${ONE}\n${ONE}\n1\n`);
      t.is(readFileSync(runs, 'utf8'), 'run\n');
    });
  }
}
