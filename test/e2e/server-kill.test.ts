// kill -9 of the server under jobs that use real mounts; the storm of all faults in its short form.
import { renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { faultStorm } from '../../soak/fault-storm.ts';
import { makeReadable, startReading } from '../../soak/reading-job.ts';
import { killServers } from '../../soak/server-kill.ts';
import { Servers } from '../../soak/servers.ts';
import { TestServer } from '../support/http-server.ts';
import { Installation, identities } from '../support/run-cvmfsexec.ts';

test.serial('ten kills of the server: a job that lists, stats, reads, maps and runs sees no error', async (t) => {
  t.log(await killServers({ seed: 1, say: (line) => t.log(line) }, 10));
  t.pass();
});

for (const as of identities.filter(({ name }) => name === 'root')) {
  test.serial('the same as root', async (t) => {
    t.log(await killServers({ seed: 2, say: (line) => t.log(line) }, 2, as));
    t.pass();
  });
}

test.serial(
  'a server that cannot be started again ends the job with 125 and the reason, and nobody hangs',
  async (t) => {
    const place = new Installation();
    const repository = await makeReadable('one.example.org', 3);
    const source = await TestServer.start({ root: repository.serverRoot });
    t.teardown(async () => {
      await source.close();
      await place.close();
      repository.remove();
    });
    const job = startReading(place, {
      repositories: [repository],
      servers: [source.url],
      workers: 2,
      seed: 3,
      tolerant: false,
    });
    const pid = await new Servers(place.directory).serving();
    renameSync(place.node, `${place.node}.gone`);
    process.kill(pid, 'SIGKILL');
    const { exitCode, stderr } = await job;
    t.is(exitCode, 125);
    t.regex(String(stderr), /^cvmfsexec: cannot start the file system server again: [^\n]*node cannot be run\n$/);
  },
);

test.serial('a server that is killed at any moment of its first start: the command runs all the same', async (t) => {
  const place = new Installation();
  const repository = await makeReadable('one.example.org', 4);
  const source = await TestServer.start({ root: repository.serverRoot });
  t.teardown(async () => {
    await source.close();
    await place.close();
    repository.remove();
  });
  const servers = new Servers(place.directory);
  for (let delay = 0; delay < 200; delay += 20) {
    const job = place.start({
      repositories: ['one.example.org'],
      parameters: { SERVER_URL: `${source.url}/@fqrn@`, KEYS_DIR: repository.clientKeys },
      command: ['sh', '-c', 'ls -a /cvmfs; wc -c </cvmfs/one.example.org/group-1/set-1/file-0'],
    });
    const pid = await servers.next();
    await sleep(delay);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // the job was over
    }
    const { exitCode, stdout, stderr } = await job;
    t.is(stdout, '.\n..\none.example.org\n100\n', `after ${delay} ms: ${stderr}`);
    t.is(exitCode, 0);
  }
});

test.serial('a storm of faults: every byte that is read is right, and in the end all recovers', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.log(`npm run soak -- fault-storm --seconds 25 --seed ${seed}`);
  t.log(await faultStorm.run({ seconds: 25, seed, say: (line) => t.log(line) }));
  t.pass();
});
