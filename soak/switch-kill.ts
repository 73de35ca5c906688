// `kill -9` of the server around the moment in which it goes from one revision to the next. Afterwards every name, list,
// attribute and content must be of the new revision, in a job that had seen all of the old one.
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestServer } from '../test/support/http-server.ts';
import { JobShell } from '../test/support/job-shell.ts';
import { makeTestRepository } from '../test/support/repository.ts';
import { Installation } from '../test/support/run-cvmfsexec.ts';
import { pseudoRandom } from '../test/support/tree-sample.ts';
import { Servers } from './servers.ts';
import { Chance, type Soak, type SoakOptions } from './soak.ts';

const FQRN = 'switching.example.org';
const SECONDS_A_KILL = 4;
const DIRECTORIES = 12;
/** A switch takes some milliseconds after the new root catalog was asked for. */
const SWITCH_MS = 60;

/** Everything that can be seen of a tree, in the directory it is run in. */
const LOOK = [
  "find . -mindepth 1 -printf '%y %p %l %n\\n' | LC_ALL=C sort",
  'find . -type f | LC_ALL=C sort | xargs sha256sum',
  'for d in dir-*; do ls $d; done',
].join('; ');

export const switchKill: Soak = {
  summary: 'kill -9 of the server while it goes to a new revision: all is new afterwards',
  seconds: 100 * SECONDS_A_KILL,
  run: (options) => killSwitching(options, Math.ceil(options.seconds / SECONDS_A_KILL)),
};

export async function killSwitching({ seed, say }: Omit<SoakOptions, 'seconds'>, kills: number): Promise<string> {
  const chance = new Chance(seed);
  const place = new Installation();
  const repository = await makeTestRepository({ fqrn: FQRN, ttl: 1, xattrs: new Map(), writeTree: firstTree });
  let askedForCatalog = () => {};
  const server = await TestServer.start({
    root: repository.serverRoot,
    admit({ path }) {
      if (path.endsWith('C')) askedForCatalog();
      return true;
    },
  });
  const shell = new JobShell(place, {
    repositories: [FQRN],
    parameters: { SERVER_URL: `${server.url}/@fqrn@`, KEYS_DIR: repository.clientKeys },
    wrap: ['bash', '-c', `cd /cvmfs/${FQRN} && exec "$@"`, 'bash'],
    limit: 120 + kills * 60,
  });
  try {
    const servers = new Servers(place.directory);
    let during = 0;
    for (let round = 1; round <= kills; round++) {
      const pid = await servers.serving();
      // The kernel knows all of the old revision now, also that the next one's name is not there.
      await compare(shell, repository.tree, `before kill ${round}`);
      await shell.run(`ls round-${round} 2>/dev/null`);
      const begun = new Promise<void>((resolve) => {
        askedForCatalog = resolve;
      });
      change(repository.tree, round, chance);
      await repository.publish();
      // Most of them in the switch, some anywhere before and after.
      if (chance.below(4) === 0) await sleep(chance.below(1500));
      else {
        await Promise.race([begun, sleep(10_000)]);
        await sleep(chance.below(SWITCH_MS));
        during++;
      }
      process.kill(pid, 'SIGKILL');
      const shown = await shell.until(`cat round-${round} 2>&1`, `${round}`, 60);
      if (shown !== `${round}`) throw new Error(`revision ${round} does not show: ${shown}\n${shell.stderr}`);
      await compare(shell, repository.tree, `after kill ${round}`);
      if (round % 10 === 0) say(`${round} kills`);
    }
    const complaints = shell.stderr.split('\n').filter((line) => line !== '' && !line.endsWith('a new one takes over'));
    if (complaints.length > 0) throw new Error(`complaints: ${complaints.join('\n')}`);
    return `${kills} kills, ${during} of them within ${SWITCH_MS} ms of the beginning of a switch`;
  } finally {
    await shell.end();
    await server.close();
    await place.close();
    repository.remove();
  }
}

async function compare(shell: JobShell, tree: string, when: string): Promise<void> {
  const expected = execFileSync('bash', ['-c', LOOK], { cwd: tree, encoding: 'utf8' }).trimEnd();
  const { output, status } = await shell.run(`${LOOK} 2>&1`);
  if (output === expected && status === 0) return;
  const other = new Set(expected.split('\n'));
  const first = output.split('\n').find((line) => !other.has(line));
  throw new Error(`${when}: not as published, such as: ${first}\n${shell.stderr}`);
}

function firstTree(tree: string): void {
  for (let d = 0; d < DIRECTORIES; d++) {
    const directory = join(tree, `dir-${d}`);
    mkdirSync(directory);
    if (d % 3 === 0) writeFileSync(join(directory, '.cvmfscatalog'), '');
    for (let f = 0; f < 6; f++) writeFileSync(join(directory, `file-${f}`), pseudoRandom(2000 * f, d * 10 + f));
    linkSync(join(directory, 'file-1'), join(directory, 'linked'));
    symlinkSync('file-1', join(directory, 'link'));
  }
}

/** Some of each kind of change; `round-N` is there from revision N on. */
function change(tree: string, round: number, chance: Chance): void {
  writeFileSync(join(tree, `round-${round}`), `${round}\n`);
  for (let i = 0; i < 8; i++) {
    const directory = join(tree, chance.of(readdirSync(tree).filter((name) => name.startsWith('dir-'))));
    const name = chance.of(readdirSync(directory).filter((one) => one !== '.cvmfscatalog'));
    const path = name && join(directory, name);
    const fresh = join(directory, `new-${round}-${i}`);
    const actions: readonly (() => void)[] = [
      () => writeFileSync(fresh, pseudoRandom(chance.below(50_000), round * 100 + i)),
      () => mkdirSync(join(fresh, 'inner'), { recursive: true }),
      () => symlinkSync(`target-${round}`, fresh),
      () => path && rmSync(path, { recursive: true }),
      () => path && renameSync(path, fresh),
      () => {
        if (path) rmSync(path, { recursive: true });
        writeFileSync(path || fresh, `${round} ${i}\n`);
      },
      () => renameSync(directory, join(tree, `dir-${round}-${i}`)),
      () => writeFileSync(join(directory, '.cvmfscatalog'), ''),
      () => rmSync(join(directory, '.cvmfscatalog'), { force: true }),
    ];
    chance.of(actions)();
  }
}
