// What a command in a job gets from its caller, and what the caller gets from the command.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { outcome, shells, Workplace } from '../launcher/job.ts';
import { isRoot, user } from '../support/ordinary-user.ts';

const place = new Workplace();
test.after.always(() => place.close());

/** Shell code that prints what `command` prints with and without the launcher before it; compares them byte by byte. */
const both = (before: string, command: string) => `
  ${before}
  ${command} >plain || exit 91
  "$LAUNCHER" test.example.org -- ${command} >inside || exit 92
  cmp plain inside && rm -f plain inside`;

const launcherEnv = { LAUNCHER: place.program };

for (const shell of shells) {
  const options = { shell, env: launcherEnv };

  test.serial(`${shell}: arguments arrive byte for byte`, async (t) => {
    const script = `printf '%s|' /usr/bin/printf >/dev/null
      every=$(i=1; while [ $i -lt 256 ]; do printf "\\\\$(printf %o $i)"; i=$((i + 1)); done; printf x)
      ${both(
        '',
        `/usr/bin/printf '<%s>' "$every" "$(printf 'a\\377b')" '' ' ' "two
lines" '*' '$HOME' "it's" -- --version 'a=b' '\\\\'`,
      )}`;
    const { code, stderr } = await place.run(['bash', '-c', script], options);
    t.is(code, 0, stderr);
  });

  test.serial(`${shell}: the environment arrives byte for byte`, async (t) => {
    const script = `
      export QUOTES="it's \\"so\\"" LINES2="two
lines" EMPTY= BYTES="$(printf '\\201\\210\\377\\001')" TRAILING="x

" NODE_OPTIONS=--no-such-option LD_LIBRARY_PATH=/nowhere TMPDIR=/some/where SSL_CERT_DIR=/x LC_ALL=C
      unset OLDPWD
      exported() { echo "it's
exported"; }
      export -f exported
      show() {
        env -u _ 'a.dotted-name=1' '1=digit' "with'quote=" "LINE
BREAK=2" SHLVL=41 PPID=7 OPTIND=9 IFS=: \\
          cx_name=mine cx_spare=mine cx_entry=mine PS4=+ "$@" cat /proc/self/environ | sort -z
      }
      show env >plain
      show "$LAUNCHER" test.example.org -- >inside
      [ -s plain ] && cmp plain inside
      diff <(tr '\\0' '\\n' <plain) <(tr '\\0' '\\n' <inside)`;
    const { code, stderr, stdout } = await place.run(
      ['bash', '-c', `${script}; r=$?; rm -f plain inside; exit $r`],
      options,
    );
    t.is(code, 0, `${stderr}${stdout}`);
  });

  test.serial(`${shell}: without PWD, OLDPWD and SHLVL in the environment none is added`, async (t) => {
    const { stdout, stderr } = await place.run(
      ['env', '-i', 'PATH=/usr/bin:/bin', place.program, 'a.b', '--', 'env'],
      options,
    );
    t.is(stdout.toString(), 'PATH=/usr/bin:/bin\n', stderr);
  });

  test.serial(`${shell}: descriptors are those of the caller, and the server holds none of them`, async (t) => {
    const script = `exec 3</etc/passwd 5>>five 8</dev/null 11</etc/group 12>>twelve
      list='for f in /proc/self/fd/*; do [ -e $f ] && echo "$f $(readlink $f)"; done'
      bash -c "$list" >plain
      "$LAUNCHER" test.example.org note=$PWD/note -- bash -c "$list" >inside
      sed -i 's/plain/X/; s/[0-9]*\\/fd$//; s/pipe:.*//' plain; sed -i 's/inside/X/; s/[0-9]*\\/fd$//; s/pipe:.*//' inside
      diff plain inside; r=$?; rm -f plain inside five twelve; exit $r`;
    const { code, stdout, stderr } = await place.run(['bash', '-c', script], options);
    t.is(code, 0, `${stdout}${stderr}`);
    const { fds } = JSON.parse(readFileSync(join(place.scratch, 'note'), 'utf8'));
    t.deepEqual(
      fds.filter((line: string) => /passwd|group|five|twelve|inside|environ/.test(line)),
      [],
    );
    rmSync(join(place.scratch, 'note'), { recursive: true });
  });

  test.serial(`${shell}: exit codes pass through`, async (t) => {
    for (const code of [0, 1, 7, 125, 127, 200, 255]) {
      t.is((await place.job(['sh', '-c', `exit ${code}`], options)).code, code);
    }
  });

  test.serial(`${shell}: a command killed by a signal: the launcher dies of the same one`, async (t) => {
    for (const signal of ['KILL', 'TERM', 'SEGV', 'INT', 'HUP', 'USR1', 'ABRT'] as const) {
      const result = await place.job(['bash', '-c', `ulimit -c 0; kill -${signal} $$`], options);
      t.is(result.signal, `SIG${signal}`, result.stderr);
    }
  });

  test.serial(`${shell}: what cannot be run: 127 and 126, with one line`, async (t) => {
    const cases = [
      { word: 'no-such-command', code: 127 },
      { word: './no-such-file', code: 127 },
      { word: '/etc/passwd', code: 126 },
      { word: '/etc', code: 126 },
      { word: '', code: 127 },
    ];
    for (const { word, code } of cases) {
      const result = await place.job([word], options);
      t.is(result.code, code, word);
      t.regex(result.stderr, /^cvmfsexec: [^\n]+\n$/, word);
    }
  });
}

test.serial('a command whose name has an equals sign is run', async (t) => {
  const program = join(place.scratch, 'a=b');
  writeFileSync(program, '#!/bin/sh\necho "$0 $1"\n', { mode: 0o755 });
  const { stdout } = await place.run(['env', 'odd.name=1', place.program, 'a.b', '--', program, 'c=d']);
  t.is(stdout.toString(), `${program} c=d\n`);
  rmSync(program, { recursive: true });
});

test.serial('a job starts whatever PATH is', async (t) => {
  for (const path of ['', '.', '/nowhere::']) {
    const { stdout, stderr } = await place.run(['env', `PATH=${path}`, place.program, 'a.b', '--', '/usr/bin/env']);
    t.is(stderr, '');
    t.true(stdout.toString().split('\n').includes(`PATH=${path}`));
  }
});

test.serial('variables whose names begin with a dash reach the command', async (t) => {
  const job = ['env', '--', '-i=1', '--help=2', place.program, 'a.b', '--', 'env'];
  const { stdout, stderr } = await place.run(job);
  t.is(stderr, '');
  t.deepEqual(
    stdout
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('-'))
      .sort(),
    ['--help=2', '-i=1'],
  );
});

test.serial('the command runs as the caller, with no capability and the same signal dispositions', async (t) => {
  const fields = '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|SigBlk|SigIgn|SigCgt|Seccomp):';
  const words = ['grep', '-E', fields, '/proc/self/status'];
  const plain = await place.run(words);
  const inside = await place.job(words);
  t.is(inside.stdout.toString(), plain.stdout.toString(), inside.stderr);
  t.regex(inside.stdout.toString(), new RegExp(`Uid:\t${user.uid}\t${user.uid}`));
});

test.serial('limits, umask, niceness are the caller’s', async (t) => {
  const script = 'umask 027; ulimit -Sn 200; ulimit -Sc 0; ulimit -Sv 40000000; renice -n 3 $$ >/dev/null;';
  const show = 'umask; ulimit -a; cut -d" " -f19 /proc/self/stat';
  const plain = await place.run(['bash', '-c', `${script} bash -c '${show}'`]);
  const inside = await place.run(['bash', '-c', `${script} '${place.program}' a.b -- bash -c '${show}'`]);
  const comparable = ({ stdout }: { stdout: Buffer }) => stdout.toString().replace(/.*(processes|pending).*\n/g, '');
  t.is(comparable(inside), comparable(plain), inside.stderr);
  t.regex(inside.stdout.toString(), /^0027\n/);
});

test.serial('the command starts in the caller’s directory, whatever its name', async (t) => {
  const odd = join(place.scratch, ` with blanks, it's "quoted"\nand a line break $HOME * \\`);
  mkdirSync(odd);
  const link = join(place.scratch, 'link');
  symlinkSync(odd, link);
  const physical = await place.job(['sh', '-c', 'pwd -P; pwd -L'], { cwd: odd });
  t.is(physical.stdout.toString(), `${odd}\n${odd}\n`, physical.stderr);
  const logical = await place.run([
    'sh',
    '-c',
    `cd '${link}' && exec '${place.program}' a.b -- sh -c 'pwd -P; pwd -L'`,
  ]);
  t.is(logical.stdout.toString(), `${odd}\n${link}\n`, logical.stderr);
  rmSync(link, { recursive: true });
  rmSync(odd, { recursive: true });
});

test.serial('a directory that was removed: the command starts in /, and a line says so', async (t) => {
  const script = `mkdir gone; cd gone; rmdir ../gone; exec '${place.program}' a.b -- pwd -P`;
  const { stdout, stderr, code } = await place.run(['sh', '-c', script]);
  t.is(stdout.toString(), '/\n');
  t.regex(stderr, /^(sh: .*getcwd.*\n)*cvmfsexec: [^\n]*started in \/\n$/);
  t.is(code, 0);
});

test.serial('stdin, stdout and stderr are the caller’s', async (t) => {
  const { stdout, stderr } = await place.job(['sh', '-c', 'cat; echo error >&2'], { stdin: 'through stdin' });
  t.is(stdout.toString(), 'through stdin');
  t.is(stderr, 'error\n');
});

test.serial('the offset of a file on stdin is shared with the caller', async (t) => {
  const script = `{ read -r line; '${place.program}' a.b -- head -c 2 >/dev/null; cat; } <<.
one
234
.`;
  const { stdout, stderr } = await place.run([
    'bash',
    '-c',
    script.replace('head -c 2', 'dd bs=1 count=2 status=none'),
  ]);
  t.is(stdout.toString(), '4\n', stderr);
});

test.serial('a reader of the output sees its end when the command ends', async (t) => {
  const { stdout } = await place.run(['sh', '-c', `'${place.program}' a.b -- echo out | cat; echo after`]);
  t.is(stdout.toString(), 'out\nafter\n');
});

test.serial('closed stdin, stdout and stderr stay closed', async (t) => {
  const show = `for f in 0 1 2; do [ -e /proc/$$/fd/$f ] && echo $f >>open; done; :`;
  const { code } = await place.run(['sh', '-c', `'${place.program}' a.b -- sh -c '${show}' <&- >&- 2>&-`]);
  t.is(code, 0);
  t.is((await place.run(['cat', 'open'])).code, 1);
});

test.serial('without a command $SHELL is run, without $SHELL /bin/sh', async (t) => {
  const stdin = 'readlink /proc/$$/exe';
  const shell = await place.run([place.program, 'a.b'], { env: { SHELL: '/bin/bash' }, stdin });
  t.regex(shell.stdout.toString(), /bash/);
  const dashes = await place.run([place.program, 'a.b', '--'], { env: { SHELL: '/bin/bash' }, stdin });
  t.regex(dashes.stdout.toString(), /bash/);
  const none = await place.run([place.program, 'a.b'], { env: { SHELL: undefined }, stdin });
  t.is(none.code, 0, none.stderr);
});

test.serial('the words before -- go to the server, and nothing else does', async (t) => {
  const note = join(place.scratch, 'note');
  const words = ['a.b', '-o', 'CVMFS_X=a b', '-o', "Y=it's", `note=${note}`];
  const env = { NODE_OPTIONS: '--no-such-option', LD_PRELOAD: '', NODE_PATH: '/x', KEPT: 'yes' };
  const { code, stderr } = await place.run([place.program, ...words, '--', 'true', '--', 'x'], { env });
  t.is(code, 0, stderr);
  const seen = JSON.parse(readFileSync(note, 'utf8'));
  t.deepEqual(seen.words, words);
  t.is(seen.environment.KEPT, 'yes');
  t.is(seen.environment.NODE_OPTIONS, undefined);
  t.is(seen.environment.CVMFSEXEC_DIRECTORY, place.scratch);
  rmSync(note, { recursive: true });
});

test.serial('help, version and subcommands are answered by Node', async (t) => {
  for (const words of [['--help'], ['-h'], ['--version'], ['-v'], ['config', 'x'], []]) {
    const { stdout } = await place.run([place.program, ...words]);
    t.deepEqual(JSON.parse(stdout.toString()), ['cvmfsexec', ...words]);
  }
});

test.serial(
  'a server that does not end is not waited for long: the status is the command’s, and nothing is left',
  async (t) => {
    const start = performance.now();
    const { code, stderr } = await place.run([place.program, 'a.b', 'deaf=1', '--', 'sh', '-c', 'exit 3']);
    t.is(code, 3, stderr);
    const seconds = (performance.now() - start) / 1000;
    t.true(seconds > 1 && seconds < 15, `${seconds} s`);
    t.deepEqual(await place.leftovers(), []);
  },
);

test.serial('a server that fails has explained itself: 125 and only its line', async (t) => {
  const { code, stderr } = await place.run([place.program, 'a.b', 'fail', '--', 'echo', 'ran']);
  t.is(code, 125);
  t.is(stderr, 'cvmfsexec: the stand-in failed\n');
});

// bash tries for half a minute to get a process.
for (const shell of shells.filter((name) => isRoot && name !== 'bash')) {
  test.serial(
    `${shell}: a launcher that gets too few processes ends with 125, not with a status of its shell`,
    async (t) => {
      const uid = '61234'; // of nobody: all its processes are ours
      // With more Node would be started, which may hang where it gets no thread.
      for (let most = 1; most <= 6; most++) {
        const limited = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'prlimit', `--nproc=${most}`];
        const words = [...limited, place.program, 'a.b', '--', 'echo', 'ran'];
        const { code, stdout, stderr } = await place.run(words, { shell, asRoot: true });
        t.is(code, 125, `${most}: ${stderr}`);
        t.is(stdout.toString(), '');
        t.regex(stderr, most < 4 ? /^cvmfsexec: the launcher got no more processes [^\n]+ulimit -u/m : /^cvmfsexec: /m);
      }
      t.deepEqual(await place.leftovers(), []);
    },
  );
}

test.serial('a server that cannot open enough files: the limit is named', async (t) => {
  const { code, stderr } = await place.run([
    'sh',
    '-c',
    'ulimit -n 24; exec "$@"',
    'sh',
    place.program,
    'a.b',
    '--',
    'true',
  ]);
  t.is(code, 125);
  t.regex(stderr, /^cvmfsexec: it needs 64 open files, `ulimit -n` allows 24$/m);
});

test.serial('orphans are adopted and reaped', async (t) => {
  const script = 'for i in 1 2 3 4 5; do (sleep 0.1 & ); done; sleep 0.6; ps -o stat= -e | grep -c Z';
  t.is((await place.job(['sh', '-c', script])).stdout.toString(), '0\n');
});

test.serial('processes left by the command end with it', async (t) => {
  const child = place.spawn([place.program, 'a.b', '--', 'sh', '-c', 'setsid sleep 1000 & sleep 1000 & exit 3']);
  t.is((await outcome(child)).code, 3);
  t.deepEqual(await place.leftovers(), []);
});
