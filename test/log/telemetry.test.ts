// Counters over UDP in the InfluxDB line protocol (client.md §10.5).
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { influxLine, Telemetry } from '../../src/log/telemetry.ts';

const SETTINGS = { fqrn: 'some.example.org', metric: 'cvmfs', extraTags: 'site=x', extraFields: '' };

test('a line: measurement, tags, fields that are not zero, time', (t) => {
  const counters = new Map([
    ['a', 1],
    ['b', 0],
    ['c', 3],
  ]);
  t.is(influxLine(SETTINGS, 'absolute', counters, '17'), 'cvmfs_absolute,repo=some.example.org,site=x a=1,c=3 17');
  t.is(
    influxLine({ ...SETTINGS, extraTags: '', extraFields: 'd=4' }, 'delta', counters, '17'),
    'cvmfs_delta,repo=some.example.org a=1,c=3,d=4 17',
  );
  t.is(influxLine(SETTINGS, 'delta', new Map([['a', 0]]), '17'), undefined);
});

test('packets come at the rate, with what was counted in all and since the one before', async (t) => {
  const receiver = createSocket('udp4').bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  t.teardown(() => receiver.close());
  const lines: string[] = [];
  receiver.on('message', (message) => lines.push(String(message).replace(/ \d{19}$/, ' TIME')));
  let count = 0;
  const counted = () => {
    count += 5;
    return new Map([['n', count]]);
  };
  const { port } = receiver.address();
  const settings = { ...SETTINGS, host: '127.0.0.1', port, rate: 0.05, warn: (message: string) => t.fail(message) };
  const telemetry = await Telemetry.start(settings, counted);
  while (lines.length < 4) await once(receiver, 'message');
  telemetry.close();
  t.deepEqual(lines.slice(0, 4).sort(), [
    'cvmfs_absolute,repo=some.example.org,site=x n=10 TIME',
    'cvmfs_absolute,repo=some.example.org,site=x n=5 TIME',
    'cvmfs_delta,repo=some.example.org,site=x n=5 TIME',
    'cvmfs_delta,repo=some.example.org,site=x n=5 TIME',
  ]);
});
