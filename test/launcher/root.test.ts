// The root of a job, on its way (src/launcher/root.sh).
import { spawnSync } from 'node:child_process';
import test from 'ava';

const FILE = new URL('../../src/launcher/root.sh', import.meta.url).pathname;

test('the root is not changed while init starts its processes', (t) => {
  const script = `. "$1"
    exec 7</dev/null
    read -r cx_pid cx_rest </proc/self/stat
    cx_forking=/proc/$cx_pid/fd/7
    (exec 7<&-; cx_await_forks; cat /proc/uptime >&3) 3>&1 &
    sleep 0.5
    cat /proc/uptime
    exec 7<&-
    wait`;
  const { stdout, status } = spawnSync('sh', ['-c', script, 'sh', FILE], { encoding: 'utf8' });
  const [closed, changed] = stdout.trim().split('\n').map(Number.parseFloat);
  t.is(status, 0);
  t.true(changed >= closed, stdout);
});
