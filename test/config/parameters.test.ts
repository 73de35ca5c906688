import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { DOMAINS } from '../../src/config/defaults.ts';
import { load, makeDirectory } from './configuration.ts';

test('options win over the environment, that over files, those over what is built in', (t) => {
  const get = (given: Parameters<typeof load>[1]) => load(t, given).get('CVMFS_TIMEOUT');
  const files = { 'default.local': 'CVMFS_TIMEOUT=6\n' };
  const environment = { CVMFS_TIMEOUT: '7' };
  t.is(get({}), '5');
  t.is(get({ files }), '6');
  t.is(get({ files, environment }), '7');
  t.is(get({ files, environment, options: ['CVMFS_TIMEOUT=8'] }), '8');
});

test('of options with the same name the last wins, and commas and further equals signs are of the value', (t) => {
  const options = ['CVMFS_A=1', 'CVMFS_B=a,CVMFS_A=2', 'CVMFS_A=x=y'];
  const parameters = load(t, { options });
  t.deepEqual([parameters.get('CVMFS_A'), parameters.get('CVMFS_B')], ['x=y', 'a,CVMFS_A=2']);
});

test('what is no KEY=VALUE is no parameter', (t) => {
  for (const option of ['debug', '=x', '']) {
    t.throws(() => load(t, { options: [option] }), { code: 'BAD_OPTION', message: /expected KEY=VALUE/ });
  }
});

const ORDER = [
  'default.conf',
  'default.d/10-a.conf',
  'default.d/9-b.conf',
  'default.local',
  'domain.d/cern.ch.conf',
  'domain.d/cern.ch.local',
  'config.d/atlas.cern.ch.conf',
  'config.d/atlas.cern.ch.local',
];

test('files are read in the order of the reference, those of others not at all', (t) => {
  const others = ['default.d/99.local', 'domain.d/ch.conf', 'config.d/cms.cern.ch.conf', 'domain.d/default.conf'];
  const names = [...ORDER, ...others];
  const files = Object.fromEntries(names.map((name) => [name, `CVMFS_A="\${CVMFS_A}${name} "\nCVMFS_LAST=${name}\n`]));
  const parameters = load(t, { files });
  t.is(parameters.get('CVMFS_A'), `${ORDER.join(' ')} `);
  t.is(parameters.get('CVMFS_LAST'), ORDER.at(-1));
  t.deepEqual(parameters.warnings, []);
  t.is(load(t, { files, fqrn: '' }).get('CVMFS_LAST'), 'default.local', 'those for all repositories');
});

test('a source is a file with its line, the environment, an option, or built in', (t) => {
  const directory = makeDirectory(t);
  const parameters = load(t, {
    systemDirectory: directory,
    files: { 'default.local': '\nCVMFS_A=1\nCVMFS_B=1 # b\nif [ 1 = 1 ]; then\n CVMFS_D=1\nfi\n' },
    environment: { CVMFS_B: '2', HOME: '/home' },
    options: ['CVMFS_C=3'],
  });
  const file = join(directory, 'default.local');
  t.deepEqual(parameters.source('CVMFS_A'), { file, line: 2 });
  t.deepEqual(parameters.source('CVMFS_D'), { file, line: 5 });
  t.is(parameters.source('CVMFS_B'), 'environment');
  t.is(parameters.source('CVMFS_C'), '-o');
  t.is(parameters.source('CVMFS_TIMEOUT'), 'built-in');
  t.is(parameters.source('HOME'), undefined, 'only CVMFS_ variables of the environment are parameters');
});

test('a directory given by --config replaces the one of the system', (t) => {
  const [systemDirectory, configDirectory] = [makeDirectory(t), makeDirectory(t)];
  load(t, { systemDirectory, files: { 'default.local': 'CVMFS_A=system\nCVMFS_B=system\n' } });
  const parameters = load(t, { systemDirectory, configDirectory, files: { 'default.local': 'CVMFS_A=named\n' } });
  t.deepEqual([parameters.get('CVMFS_A'), parameters.get('CVMFS_B')], ['named', undefined]);
  t.false(parameters.isOfSystem('CVMFS_A'));
});

test('a directory given by --config must be there; the one of the system need not', (t) => {
  const missing = join(makeDirectory(t), 'missing');
  const error = t.throws(() => load(t, { configDirectory: missing, systemDirectory: missing }), { code: 'NO_FILE' });
  t.true(error?.message.includes(missing));
  t.deepEqual(load(t, { systemDirectory: missing }).warnings, []);
});

test('what a shell cannot do either is left out and told, with file and lines', (t) => {
  const directory = makeDirectory(t);
  const text = 'CVMFS_A=$(hostname)\nif grep -q x y; then\n  CVMFS_B=1\nfi\nCVMFS_C=1\nexit 1\n';
  const parameters = load(t, { systemDirectory: directory, files: { 'default.local': text } });
  t.deepEqual(
    parameters.warnings.map((warning) => warning.split(' ')[0]),
    [`${directory}/default.local:1:`, `${directory}/default.local:2-4:`, `${directory}/default.local:6:`],
  );
  t.is(parameters.get('CVMFS_C'), '1');
});

test('a file that cannot be read is told', (t) => {
  const directory = makeDirectory(t);
  writeFileSync(join(directory, 'default.d'), '');
  t.deepEqual(load(t, { systemDirectory: directory }).warnings, [], 'a file instead of a directory is as good as none');
  if (process.getuid?.() === 0) return t.log('as an ordinary user only: a file without permission');
  writeFileSync(join(directory, 'default.conf'), 'CVMFS_A=1\n');
  chmodSync(join(directory, 'default.conf'), 0);
  t.regex(load(t, { systemDirectory: directory }).warnings[0], /default\.conf cannot be read \(EACCES\)/);
});

test('file names and values are UTF-8', (t) => {
  t.is(
    load(t, { files: { 'default.local': "CVMFS_CACHE_BASE='/données/é'\n" } }).get('CVMFS_CACHE_BASE'),
    '/données/é',
  );
});

for (const [value, expected] of [
  ['http://h/cvmfs/@fqrn@;http://@org@.h/@x@', 'http://h/cvmfs/atlas.cern.ch;http://atlas.h/@x@'],
  ['a@b', 'a@b'],
  ['@@fqrn@', '@@fqrn@'],
  ['@x@fqrn@org@', '@x@fqrnatlas'],
  ['@x@@fqrn@', '@x@atlas.cern.ch'],
  ['@FQRN@@toString@', '@FQRN@@toString@'],
]) {
  test(`the templates in ${value} are replaced from left to right`, (t) => {
    t.is(load(t, { options: [`CVMFS_A=${value}`] }).get('CVMFS_A'), expected);
  });
}

test('yes, on, 1 and true are on, in any case; all else is off', (t) => {
  const isOn = (value: string) => load(t, { options: [`CVMFS_A=${value}`] }).isOn('CVMFS_A');
  for (const value of ['yes', 'YES', 'on', 'On', '1', 'true', 'TRUE']) t.true(isOn(value), value);
  for (const value of ['no', 'off', '0', 'false', '', ' yes', 'yes ', '11', 'y', 'yes\n']) t.false(isOn(value), value);
  t.false(load(t).isOn('CVMFS_A'));
});

test('a number is the leading digits; not set and empty are the value for that', (t) => {
  const number = (value: string) => load(t, { options: [`CVMFS_A=${value}`] }).number('CVMFS_A', 42);
  t.deepEqual(['7', '007', ' 7s', '-1', '+3', 'x', '0x10', '', '1e3'].map(number), [7, 7, 7, -1, 3, 0, 0, 42, 1]);
  t.is(load(t).number('CVMFS_A', 42), 42);
});

test('without a proxy, or with an empty one, it is the one that is announced, or none', (t) => {
  const proxy = (given: Parameters<typeof load>[1]) => load(t, given).get('CVMFS_HTTP_PROXY');
  const config = { fqrn: 'cvmfs-config.cern.ch' };
  const empty = { files: { 'default.local': 'CVMFS_HTTP_PROXY=\n' } };
  t.is(proxy({}), 'auto;DIRECT');
  t.is(proxy(empty), 'auto;DIRECT');
  t.is(proxy({ environment: { CVMFS_HTTP_PROXY: '' } }), 'auto;DIRECT');
  t.is(proxy(config), 'DIRECT');
  t.is(proxy({ ...config, ...empty }), 'DIRECT');
  t.is(proxy({ ...config, options: ['CVMFS_HTTP_PROXY=http://p:3128'] }), 'http://p:3128');
});

for (const [domain, { servers }] of DOMAINS) {
  test(`the servers of ${domain} are known, and give way to others`, (t) => {
    const fqrn = `x.${domain}`;
    const parameters = load(t, { fqrn });
    t.is(parameters.get('CVMFS_SERVER_URL'), servers.join(';').replaceAll('@fqrn@', fqrn));
    t.is(parameters.get('CVMFS_KEYS_DIR'), `/etc/cvmfs/keys/${domain}`);
    t.is(load(t, { fqrn, environment: { CVMFS_SERVER_URL: 'http://h' } }).get('CVMFS_SERVER_URL'), 'http://h');
  });
}

test('of a domain that is not built in nothing is known, whatever its name', (t) => {
  for (const domain of ['example.org', 'constructor', '__proto__', 'toString']) {
    t.is(load(t, { fqrn: `x.${domain}` }).get('CVMFS_SERVER_URL'), undefined);
  }
});
