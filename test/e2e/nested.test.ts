// cvmfsexec inside a job of cvmfsexec: nothing to do where all is mounted, a job of its own otherwise.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { identities, type Launch } from '../support/run-cvmfsexec.ts';
import { prepareSiteOfSeveral } from '../support/site.ts';

const [ONE, TWO] = ['one.example.org', 'two.example.org'];

const site = prepareSiteOfSeveral(test, [ONE, TWO], (tree, fqrn) => writeFileSync(join(tree, 'name'), `${fqrn}\n`));
const { place } = site;

/** Parameters by the environment, so that launches inside need no options. `me` is the program. */
function job(script: string, more: Partial<Launch> = {}): Launch {
  return {
    repositories: [ONE],
    ...more,
    command: ['sh', '-c', `me=${place.program}; ns() { readlink /proc/self/ns/mnt; }; ${script}`],
    env: {
      CVMFS_SERVER_URL: `${site.server.url}/@fqrn@`,
      CVMFS_KEYS_DIR: site.repositories.clientKeys,
      CVMFS_HTTP_PROXY: 'DIRECT',
      ...more.env,
    },
    parameters: {},
  };
}

for (const as of identities) {
  test.serial(`with all repositories mounted the command is run, and nothing else (${as.name})`, async (t) => {
    const script = `ns; $me ${ONE} -- readlink /proc/self/ns/mnt; $me ${ONE} -- sh -c 'echo $PPID; exit 7'; echo $? $$`;
    const { stdout, stderr } = await place.run(job(script, { as }));
    t.is(stderr, '');
    const [outer, inner, parent, status] = stdout.split('\n');
    t.is(inner, outer);
    t.is(status, `7 ${parent}`, 'the command took the place of the launcher');
  });
}

test.serial('the command gets words, directory, descriptors and environment as they are', async (t) => {
  const show = `printf '%s|' "$@"; pwd; cat <&5; cat /proc/$$/environ | tr '\\0' '\\n' | sort`;
  const script = `
    cd /tmp; echo five >${place.scratch}/five
    show() { "$@" sh -c "$SHOW" sh 'a  b' '' "c'd" 5<${place.scratch}/five; }
    show env 'odd.name=1' 'BASH_FUNC_f%%=() { :; }' >${place.scratch}/plain
    show env 'odd.name=1' 'BASH_FUNC_f%%=() { :; }' $me ${ONE} -- >${place.scratch}/nested
    diff ${place.scratch}/plain ${place.scratch}/nested && grep -c 'odd.name\\|BASH_FUNC' ${place.scratch}/nested`;
  const { stdout, stderr } = await place.run(job(script, { env: { SHOW: show } }));
  t.is(stderr, '');
  t.is(stdout, '2\n');
});

test.serial(
  'another repository is mounted in the job around, if that offers it; else there is another job',
  async (t) => {
    const other = `ns; $me ${ONE} ${TWO} -- sh -c 'readlink /proc/self/ns/mnt; cat /cvmfs/${TWO}/name'; ls /cvmfs`;
    const [outer, inner, ...rest] = (await place.run(job(other))).stdout.trimEnd().split('\n');
    t.is(inner, outer);
    t.deepEqual(rest, [TWO, ONE, TWO]);
    const closed = await place.run(job(`eval "exec $CVMFSEXEC_CMDFD>&-"; ${other}`));
    const lines = closed.stdout.trimEnd().split('\n');
    t.not(lines[1], lines[0]);
    t.deepEqual(lines.slice(2), [TWO, ONE]);
  },
);

test.serial('any option, and what only looks like a job, makes another job', async (t) => {
  const script = `
    ns
    $me --own ${ONE} -- readlink /proc/self/ns/mnt
    $me -o CVMFS_TIMEOUT=4 ${ONE} -- readlink /proc/self/ns/mnt
    $me -N ${ONE} -- readlink /proc/self/ns/mnt`;
  const { stdout, stderr } = await place.run(job(script));
  t.is(stderr, '');
  const [outer, ...inner] = stdout.trimEnd().split('\n');
  t.is(inner.length, 3);
  for (const line of inner) t.not(line, outer);
  const env = { CVMFSEXEC_CMDPIPE: '1', CVMFSMOUNT: '/bin/true' };
  const elsewhere = await place.run(job(`cat /cvmfs/${ONE}/name`, { env }));
  t.is(elsewhere.stdout, `${ONE}\n`);
});

test.serial('with --auto around, the repository appears by that', async (t) => {
  const script = `ns; $me ${TWO} -- readlink /proc/self/ns/mnt; cat /cvmfs/${TWO}/name`;
  const { stdout } = await place.run(job(script, { repositories: [], options: ['--auto'] }));
  const [outer, inner, name] = stdout.split('\n');
  t.is(inner, outer);
  t.is(name, TWO);
});

test.serial('a command that cannot be run ends with 126 or 127, as in a job', async (t) => {
  const script = `$me ${ONE} -- nosuch; echo $?; $me ${ONE} -- /etc/passwd; echo $?`;
  const { stdout, stderr } = await place.run(job(script));
  t.is(stdout, '127\n126\n');
  t.regex(stderr, /^cvmfsexec: nosuch: command not found\ncvmfsexec: \/etc\/passwd: Permission denied\n$/);
});
