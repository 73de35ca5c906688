// `cvmfsexec preload`: fills a cache with what is wanted of repositories, for jobs that have no network.
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { MountedRepository, type RepositorySettings } from '../../filesystem/mounted-repository.ts';
import { Dirtab } from '../../preload/dirtab.ts';
import { PreloadError } from '../../preload/errors.ts';
import { pack } from '../../preload/pack.ts';
import { Preload } from '../../preload/preload.ts';
import { makeReadable, type Readers, TAR_MODES } from '../../preload/readable.ts';
import type { LaunchWords } from '../launch-words.ts';
import { reporter } from '../reporter.ts';
import { configurationOptions } from '../settings/configuration-repository.ts';
import { repositorySettings } from '../settings/repository.ts';
import { PreloadDisplay } from './preload-display.ts';
import { type Wishes, WishList } from './preload-wishes.ts';
import { type RepositoryArguments, repositorySubcommand } from './repository-arguments.ts';

const DEFAULT_JOBS = 16;
/**
 * The newest revision by what a server says now, not a moment ago. One that appears meanwhile is for the next time; this one
 * is noted when all of it is there.
 */
const ONE_REVISION = { maxTtl: 0, autoUpdate: false, rememberLater: true };

export const main = repositorySubcommand({
  name: 'preload',
  description:
    'Fill a cache with parts of repositories, so that jobs need no network (--offline). Give paths, which may have * and ?, ' +
    "a file of them, or the record of a job (--record). '/' is a whole repository. What is there is not fetched again.",
  examples: [
    "preload --to /shared/cvmfs '/software/v1.*' sw.example.org",
    'preload --to /shared/cvmfs --dirtab wanted.txt sw.example.org',
    'preload --to /shared/cvmfs --run job.jsonl',
  ],
  repositories: 'optional',
  paths: true,
  configure: (command) =>
    command
      .option('--to <DIR>', 'a cache to be shared (CVMFS_ALIEN_CACHE of the jobs); default: your own cache')
      .option('--dirtab <FILE>', 'patterns, one a line; ! before an exception; - reads standard input')
      .option('--run <FILE>', 'what a job used, as cvmfsexec --record wrote it; - reads standard input')
      .addOption(
        new Option('--exclude <PATTERN>', 'leave out what matches (* matches slashes, too); repeatable')
          .argParser((value: string, earlier: string[]) => [...earlier, value])
          .default([], 'none'),
      )
      .option('--follow-links', 'load also what symbolic links lead to')
      .addOption(new Option('--jobs <N>', 'objects fetched at once').argParser(countOf).default(DEFAULT_JOBS))
      .addOption(new Option('--readable-by <WHO>', 'open the cache to others').choices(['group', 'world']))
      .option('--pack <FILE>', 'write it to a tar archive, too; - is standard output'),
  run,
});

interface Flags {
  readonly to?: string;
  readonly dirtab?: string;
  readonly run?: string;
  readonly exclude: readonly string[];
  readonly followLinks?: boolean;
  readonly jobs: number;
  readonly readableBy?: Readers;
  readonly pack?: string;
}

interface Loaded {
  readonly preload: Preload;
  readonly fqrn: string;
  readonly directory: string;
}

interface Job {
  readonly name: string;
  readonly launch: LaunchWords;
  readonly wishes: (fqrn: string) => Wishes;
}

/** Gives 1 when something could not be loaded. */
async function run({ launch, json, flags: given, paths = [] }: RepositoryArguments): Promise<number> {
  const flags = given as unknown as Flags;
  const list = await WishList.read({ ...flags, paths }, reporter('preload'));
  const names = launch.repositories.length > 0 ? launch.repositories : list.repositories;
  if (names.length === 0) throw new Error("no repository named; see 'cvmfsexec preload --help'");
  const jobs: Job[] = names.map((name) => ({ name, launch, wishes: (fqrn) => list.of(fqrn) }));
  const loaded: Loaded[] = [];
  const repositories: MountedRepository[] = [];
  let complete = true;
  try {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const display = new PreloadDisplay(job.name);
      const report = display.wrap(reporter(job.name));
      const settings = target(await repositorySettings(job.name, job.launch, report), flags.to);
      const { fqrn, configurationRepository } = settings;
      if (loaded.some((other) => other.fqrn === fqrn)) continue;
      const { named, listed, record } = job.wishes(fqrn);
      const servers = { maxConnections: flags.jobs, ...settings.servers };
      const repository = await MountedRepository.open({ ...settings, ...ONE_REVISION, servers, report });
      repositories.push(repository);
      const place = objectDirectory(settings);
      const dirtabs = [named, listed].filter((dirtab) => !dirtab.isEmpty);
      const wishes = { dirtabs, record, followLinks: flags.followLinks ?? false, jobs: flags.jobs };
      const preload = new Preload({ repository, settings, ...place }, wishes);
      await display.follow(preload, () => repository.close());
      complete &&= preload.isComplete && named.unmatched.length === 0;
      loaded.push({ preload, fqrn, ...place });
      const unmatched = dirtabs.flatMap((dirtab) => dirtab.unmatched);
      display.summary({ preload, fqrn, ...place, json, unmatched, quiet: flags.pack === '-' });
      if (configurationRepository) jobs.push(configurationJob(configurationRepository, launch));
    }
    if (flags.readableBy && flags.to !== undefined) makeReadable(resolve(flags.to), flags.readableBy);
    if (flags.pack !== undefined) await packAll(flags, loaded);
  } finally {
    await Promise.all(repositories.map((repository) => repository.close()));
  }
  return complete ? 0 : 1;
}

/** Jobs read their configuration there, without network as well. */
function configurationJob(name: string, launch: LaunchWords): Job {
  const own = { ...launch, repositories: [name], parameters: configurationOptions(launch.parameters) };
  const wishes = (): Wishes => ({ named: Dirtab.parse('/etc/cvmfs', name), listed: Dirtab.parse('', name) });
  return { name, launch: own, wishes };
}

function target(settings: RepositorySettings, to: string | undefined): RepositorySettings {
  if (to === undefined) return settings;
  const directory = resolve(to);
  // What is noted of the revision goes there, too: nothing but the directory counts.
  return {
    ...settings,
    cacheDirectory: directory,
    cache: { kind: 'posix', directory, access: 'alien' },
    streaming: false,
  };
}

/** @throws Error for a cache that is no directory, or is not to be written to */
function objectDirectory({ cache, cacheDirectory }: RepositorySettings): { directory: string; limit?: number } {
  const upper = cache?.kind === 'tiered' ? cache.upper : cache;
  if (!upper) return { directory: cacheDirectory };
  if (upper.kind === 'posix' && upper.access !== 'read-only') return { directory: upper.directory, limit: upper.limit };
  throw new Error('objects cannot be stored in the cache of these settings: give a directory (--to DIR)');
}

async function packAll(flags: Flags, loaded: readonly Loaded[]): Promise<void> {
  const archive = flags.pack === '-' ? '-' : resolve(flags.pack ?? '');
  if (loaded.some(({ preload }) => !preload.isComplete)) {
    throw new PreloadError('PACK', `the archive ${archive} was not written, as not everything could be loaded`);
  }
  const [{ directory }] = loaded;
  if (loaded.some((other) => other.directory !== directory)) {
    throw new PreloadError('PACK', 'the repositories have caches of their own: give one for all (--to DIR)');
  }
  const mode = flags.readableBy && TAR_MODES[flags.readableBy];
  await pack({ directory, archive, mode, repositories: loaded.map(({ fqrn }) => fqrn) }, async (add) => {
    for (const { preload } of loaded) await preload.files(add);
  });
}

function countOf(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new InvalidArgumentError('a number from 1 to 256 is expected');
}
