// What is promised in the help of cvmfs2 and singcvmfs is understood by them.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { parseCommandLine } from '../../src/cli/cvmfs2/command-line.ts';
import { helpText, versionText } from '../../src/cli/cvmfs2/help.ts';

test('every option in the help of cvmfs2 is one', (t) => {
  const lines = helpText().split('\n');
  const options = lines.flatMap((line) => /^ {2}(-\S.*?) {2,}/.exec(line)?.[1].split(', ') ?? []);
  t.true(options.length > 10);
  for (const option of options) {
    const [flag, value] = option.startsWith('-') ? option.split(' ') : ['-o', option];
    const words = value === undefined ? [flag] : [flag, value.replace('=N', '=7').replace('[:FILE]', ':/b')];
    t.notThrows(() => parseCommandLine([...words.flatMap((word) => word.split('; ')), 'a.b', '/m']), option);
  }
  t.regex(versionText(), /^CernVM-FS version \d+\.\d+\.\d+ .*\n\n$/);
});

test('singcvmfs reads the variables that its help names, and no others', (t) => {
  const program = join(import.meta.dirname, '../../bin/singcvmfs');
  const help = execFileSync(program, ['--help'], { encoding: 'utf8' });
  const named = new Set(help.match(/SINGCVMFS_[A-Z]+/g));
  const used = new Set(
    execFileSync('grep', ['-o', '\\${\\?SINGCVMFS_[A-Z]*', program], { encoding: 'utf8' }).match(/SINGCVMFS_[A-Z]+/g),
  );
  t.deepEqual([...used].sort(), [...named].sort());
});
