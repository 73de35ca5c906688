// Containers inside of images: apptainer, and a launch in a launch; and what an image costs a launch.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { apptainerRoot } from '../support/apptainer-root.ts';
import { writeBusyboxTree } from '../support/image-hub.ts';
import { user } from '../support/ordinary-user.ts';
import { makeTestRepository, type TestRepository } from '../support/repository.ts';
import { Installation, type Outcome } from '../support/run-cvmfsexec.ts';

const FQRN = 'hub.example.org';
/** Newer mount(8) has a limit of 255 bytes for what it passes on. */
const LONG = 'a-long-path/'.repeat(25);
const root = apptainerRoot();
const place = new Installation();
let repository: TestRepository;

test.before(async () => {
  repository = await makeTestRepository({ fqrn: FQRN, xattrs: new Map(), writeTree: writeBusyboxTree });
  rmSync(place.node); // a link to where the user cannot go in another root
  copyFileSync(process.execPath, place.node);
  writeBusyboxTree(join(place.directory, 'busybox'));
  writeBusyboxTree(join(place.directory, LONG));
});
test.after.always(async () => {
  await place.close();
  repository?.remove();
});

/** Where apptainer is. `image`: the same system as an image. */
function inRoot(script: string, by = user.name): Promise<Outcome> {
  const inside = join(import.meta.dirname, '../support/in-root.sh');
  const directory = 'directory' in root ? root.directory : '';
  const setup = `EXEC=${place.program} image=/mnt/debian busybox=${place.directory}/busybox\n`;
  return place.command(['sh', inside, directory, by, place.directory, 'bash', '-c', setup + script], {
    as: { name: 'root', uid: 0, gid: 0, prefix: [] },
    limit: 100,
  });
}

const withApptainer = 'missing' in root ? test.skip : test.serial;

withApptainer('apptainer runs in an image: plain, with a writable tmpfs, and with fakeroot', async (t) => {
  const { stdout, stderr } = await inRoot(`$EXEC --image $image -- sh -c '
    for mode in "" --writable-tmpfs --fakeroot; do
      apptainer -q exec $mode '$busybox' sh -c "id -u; cat /etc/issue; ls -d /cvmfs 2>/dev/null"
    done
    apptainer -q exec -B /cvmfs '$busybox' ls -d /cvmfs'`);
  const issue = 'a busybox image\n';
  t.is(stdout, `${user.uid}\n${issue}${user.uid}\n${issue}0\n${issue}/cvmfs\n`, stderr);
});

withApptainer('a launch in an image in a launch in an image', async (t) => {
  const { stdout, stderr } = await inRoot(
    `$EXEC --image $image -- $EXEC --image $busybox -- sh -c 'cat /etc/issue; id -un; [ -e /usr/bin/apptainer ] || echo gone'`,
  );
  t.is(stdout, `a busybox image\n${user.name}\ngone\n`, stderr);
});

withApptainer('an image with a long path is shown by the kernel, also where mount(8) is new', async (t) => {
  const { stdout, stderr } = await inRoot(
    `$EXEC --image ${join(place.directory, LONG)} --overlay-engine kernel -- cat /etc/issue`,
  );
  t.is(stdout, 'a busybox image\n', stderr);
});

withApptainer('an image is entered by root and with --map-subids, too, also where nsenter(1) is new', async (t) => {
  const script = (words: string) =>
    `cd /usr && $EXEC ${words} --image $busybox --pwd /bin -- sh -c 'cat /etc/issue; id -u; pwd'`;
  for (const [words, by, id] of [
    ['', 'root', 0],
    ['--map-subids', user.name, user.uid],
  ] as const) {
    const { stdout, stderr } = await inRoot(script(words), by);
    t.is(stdout, `a busybox image\n${id}\n/bin\n`, stderr);
  }
});

test.serial('an image makes a launch at most 150 ms slower', async (t) => {
  const parameters = {
    SERVER_URL: `file://${repository.serverRoot}/@fqrn@`,
    KEYS_DIR: repository.clientKeys,
    CACHE_BASE: place.newPath(),
  };
  const launch = { repositories: [FQRN], parameters, command: ['true'] };
  const best = { with: Number.POSITIVE_INFINITY, without: Number.POSITIVE_INFINITY };
  // The best of some, in turn: what else the machine does is not our business.
  for (let i = 0; i < 8; i++) {
    const without = await place.run(launch);
    const inImage = await place.run({ ...launch, options: ['--image', `/cvmfs/${FQRN}`] });
    t.deepEqual([without.exitCode, inImage.exitCode], [0, 0], without.stderr + inImage.stderr);
    best.without = Math.min(best.without, without.duration);
    best.with = Math.min(best.with, inImage.duration);
  }
  t.log(`${best.without.toFixed(0)} ms without, ${best.with.toFixed(0)} ms with an image`);
  t.true(best.with - best.without < 150);
});
