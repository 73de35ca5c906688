// Counters of mounts, sent to a site's monitoring: CVMFS_TELEMETRY_SEND (client.md §10.5).
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { prepareSiteOfSeveral } from '../support/site.ts';

const [STAYS, GOES] = ['one.example.org', 'two.example.org'];
const site = prepareSiteOfSeveral(test, [STAYS, GOES], (tree, fqrn) => {
  writeFileSync(join(tree, 'name'), `this is ${fqrn}\n`);
});

test.serial('each mount sends its counters, until it is unmounted', async (t) => {
  const monitoring = createSocket('udp4');
  await new Promise<void>((resolve) => monitoring.bind(0, '127.0.0.1', resolve));
  t.teardown(() => monitoring.close());
  const packets: string[] = [];
  monitoring.on('message', (packet) => packets.push(String(packet)));
  const of = (repository: string) => packets.filter((text) => text.startsWith(`cvmfs_absolute,repo=${repository} `));
  const until = async (what: string, done: () => boolean) => {
    for (let i = 0; i < 600; i++) {
      if (done()) return;
      await sleep(50);
    }
    throw new Error(`not within 30 s: ${what}; ${packets.length} packets`);
  };

  const job = site.place.start({
    repositories: [STAYS],
    parameters: {
      SERVER_URL: `${site.server.url}/@fqrn@`,
      KEYS_DIR: site.repositories.clientKeys,
      TELEMETRY_SEND: 'yes',
      TELEMETRY_RATE: '5',
      INFLUX_HOST: '127.0.0.1',
      INFLUX_PORT: String(monitoring.address().port),
      INFLUX_METRIC_NAME: 'cvmfs',
    },
    command: [
      'sh',
      '-c',
      `"$CVMFSMOUNT" ${GOES}; cat /cvmfs/*/name; read x; "$CVMFSUMOUNT" ${GOES}; echo gone; read x; echo end`,
    ],
  });
  let output = '';
  job.stdout?.on('data', (part) => {
    output += part;
  });
  await until('both send', () => of(STAYS).length > 0 && of(GOES).length > 0);
  t.regex(of(GOES)[0], / cache\.n_requests=\d+,.*cvmfs\.n_fs_open=1,/);
  job.stdin?.write('\n');
  await until('unmounted', () => output.includes('gone'));
  packets.length = 0;
  // As often as two would have.
  await until('one goes on', () => of(STAYS).length >= 3);
  t.true(of(GOES).length <= 1, 'but for what was on its way');
  job.stdin?.end('\n');
  t.is((await job).exitCode, 0);
  t.is(output, `this is ${STAYS}\nthis is ${GOES}\ngone\nend\n`);
});
