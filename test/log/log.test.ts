// The log of a mount: forms as scripts know them (client.md §10.2), and that nothing stops it.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Log } from '../../src/log/log.ts';
import { LogBuffer } from '../../src/log/log-buffer.ts';
import { LogFile } from '../../src/log/log-file.ts';
import { Complaints, DebugLog, MicroSyslog } from '../../src/log/sinks.ts';
import { ctime, localTime } from '../../src/log/times.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

const time = new Date(2026, 10, 3, 4, 5, 6);

test('times as the reference writes them', (t) => {
  t.is(ctime(time), 'Tue Nov  3 04:05:06 2026');
  t.regex(localTime(time), /^11-03-2026 04:05:06 (UTC|[+-]\d{4})$/);
});

test('the buffer keeps the last ten messages, oldest first, and cuts long ones', (t) => {
  const buffer = new LogBuffer();
  for (let i = 0; i < 12; i++) buffer.add(`message ${i}`, time);
  const lines = buffer.toString().split('\n');
  t.is(lines.length, 11);
  t.is(lines[0], `[${localTime(time)}] message 2`);
  t.is(lines[9], `[${localTime(time)}] message 11`);
  const long = new LogBuffer();
  long.add('x'.repeat(5000), time);
  t.is(long.toString(), `[${localTime(time)}] ${'x'.repeat(4096)} <snip>\n`);
});

test('each place gets what it is for, on one line', (t) => {
  const directory = temporaryDirectory(t);
  const complaints: string[] = [];
  const report = (message: string) => complaints.push(message);
  const file = (name: string) => new LogFile({ path: join(directory, name), warn: report });
  const log = new Log(
    [new Complaints(report), new MicroSyslog(file('micro'), 'the.repository'), new DebugLog(file('debug'))],
    true,
  );
  log.error('first\n  second');
  log.warn('third');
  log.note('fourth');
  log.debug('download', 'fifth');
  t.deepEqual(complaints, ['first; second', 'third']);
  const micro = readFileSync(join(directory, 'micro'), 'utf8').split('\n');
  t.is(micro.length, 4);
  t.regex(micro[0], /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} \(the\.repository\) first; second$/);
  t.true(micro[2].endsWith(' fourth'));
  const debug = readFileSync(join(directory, 'debug'), 'utf8').split('\n');
  t.is(debug.length, 5);
  t.regex(debug[3], /^\(download\) fifth {4}\[\d\d-\d\d-\d{4} \d\d:\d\d:\d\d \S+\]$/);
  t.regex(debug[0], /^\(cvmfs\) first; second {4}\[/);
  t.is(log.lastMessages().split('\n').length, 4, 'what is for debugging is not among the last messages');
});

test('a file is copied to .1 when it is full, and goes on being written by all that have it open', (t) => {
  const path = join(temporaryDirectory(t), 'log');
  const open = () => new LogFile({ path, rotateAt: 100, warn: (message) => t.fail(message) });
  const [one, other] = [open(), open()];
  writeFileSync(path, `${'x'.repeat(120)}\n`);
  one.append('one');
  other.append('other');
  t.is(readFileSync(path, 'utf8'), 'one\nother\n');
  t.is(statSync(`${path}.1`).size, 121);
});

test('a log that cannot be written is complained of once', (t) => {
  const complaints: string[] = [];
  const path = join(temporaryDirectory(t), 'missing/log');
  const log = new Log([new MicroSyslog(new LogFile({ path, warn: (message) => complaints.push(message) }), 'x')]);
  log.warn('a');
  log.warn('b');
  t.deepEqual(complaints, [`cannot write the log ${path} (ENOENT): nothing more is written to it`]);
});

test('without debugging, debug messages are not made and no file appears', (t) => {
  const path = join(temporaryDirectory(t), 'log');
  const log = new Log([new DebugLog(new LogFile({ path, warn: (message) => t.fail(message) }))]);
  log.debug('download', 'text');
  t.false(existsSync(path));
});
