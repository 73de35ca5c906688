// cvmfs-publish: makes repositories and publishes directory trees into them. Parses, calls, prints.
import type { Command, CommanderError } from 'commander';
import type { HashAlgorithm } from '../objects/hash.ts';
import type { Compression } from '../objects/object.ts';
import type { Publication, PublishOptions } from '../publish/publish.ts';
import { numberOf, parseChunkSizes, readJson } from './option-values.ts';

const OWN_FAILURE = 125;

const EXAMPLES = `Examples:
  cvmfs-publish create /srv/cvmfs/software.example.org software.example.org -k ~/keys
  cvmfs-publish publish /srv/cvmfs/software.example.org ./tree -k ~/keys --tag v1.0
  cvmfs-publish ingest /srv/cvmfs/software.example.org changes.tar -k ~/keys
  cvmfs-publish tag /srv/cvmfs/software.example.org
  cvmfs-publish resign /srv/cvmfs/software.example.org -k ~/keys --valid-days 30
  cvmfs-publish info /srv/cvmfs/software.example.org

Clients need ~/keys/software.example.org.pub and a web server that shows /srv/cvmfs as /cvmfs.
A directory with a file .cvmfscatalog in it begins a nested catalog: make one for each part of the tree
that is used by itself, such as a version of a program (1,000 to 200,000 files).
`;

/** Runs the program with the arguments behind its name. Returns the exit code: 0, or 125 with one line on stderr. */
export async function main(argv: string[]): Promise<number> {
  try {
    await (await commands()).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (isCommanderError(error) && error.exitCode === 0) return 0;
    process.stderr.write(`cvmfs-publish: ${messageOf(error)}\n`);
    return OWN_FAILURE;
  }
}

async function commands(): Promise<Command> {
  const { Command } = await import('commander');
  const program = new Command('cvmfs-publish')
    .description('Make CernVM-FS repositories and publish directory trees into them.')
    .addHelpText('before', EXAMPLES)
    .configureOutput({ writeErr: () => {} })
    .showHelpAfterError(false)
    .exitOverride();
  addKeys(program);
  addCreate(program);
  addPublish(program);
  addIngest(program);
  addTag(program);
  addResign(program);
  addInfo(program);
  return program;
}

const NO_SYNC = ['--no-sync', 'do not wait until everything is on the disk'] as const;
const KEYS = ['-k, --keys <directory>', 'where the keys of the repository are'] as const;

function addKeys(program: Command): void {
  program
    .command('keys')
    .description('make master key, repository key and certificate (create does it too)')
    .addHelpText('before', example('keys software.example.org -k ~/keys'))
    .argument('<fqrn>', 'repository name, such as software.example.org')
    .requiredOption(...KEYS)
    .action(async (fqrn: string, options: { keys: string }) => {
      const { makeKeys } = await import('../publish/keys.ts');
      const files = await makeKeys(options.keys, fqrn);
      print(`${Object.values(files).join('\n')}`);
    });
}

interface CreateFlags {
  keys: string;
  hash?: HashAlgorithm;
  compression?: Compression;
  chunkSizes?: string;
  catalogAt?: string[];
  ttl?: string;
  garbageCollectable?: boolean;
  alternativePath?: boolean;
  snapshots?: boolean;
  metainfo?: string;
  validDays?: string;
  sync: boolean;
}

function addCreate(program: Command): void {
  program
    .command('create')
    .description('make an empty repository in a directory, and its keys unless they exist')
    .addHelpText(
      'before',
      example("create /srv/cvmfs/software.example.org software.example.org -k ~/keys --catalog-at '/apps/*'"),
    )
    .argument('<directory>', 'the directory that a web server shows as /cvmfs/<fqrn>')
    .argument('<fqrn>', 'repository name, such as software.example.org')
    .requiredOption(...KEYS)
    .option('--hash <algorithm>', 'sha1 (default), rmd160 or shake128')
    .option('--compression <method>', 'of files: zlib (default) or none')
    .option('--chunk-sizes <min,average,max>', 'where large files are cut; default 4M,8M,16M')
    .option('--catalog-at <pattern...>', 'directories that begin a nested catalog without a marker, such as "/apps/*"')
    .option('--ttl <seconds>', 'how long clients keep a revision; default 240')
    .option('--garbage-collectable', 'allow old revisions to be deleted')
    .option('--alternative-path', 'put root catalog and certificate also outside data/')
    .option('--snapshots', 'show tagged revisions in the hidden directory /.cvmfs/snapshots')
    .option('--metainfo <file>', 'JSON object that describes the repository')
    .option('--valid-days <days>', 'validity of the whitelist; default 30')
    .option(...NO_SYNC)
    .action(create);
}

async function create(directory: string, fqrn: string, flags: CreateFlags): Promise<void> {
  const { createRepository } = await import('../publish/create-repository.ts');
  await createRepository({
    directory,
    fqrn,
    keysDirectory: flags.keys,
    hash: flags.hash,
    compression: flags.compression,
    chunkSizes: flags.chunkSizes === undefined ? undefined : parseChunkSizes(flags.chunkSizes),
    catalogPaths: flags.catalogAt,
    ttl: numberOf(flags.ttl),
    garbageCollectable: flags.garbageCollectable,
    alternativePath: flags.alternativePath,
    snapshots: flags.snapshots,
    metainfo: flags.metainfo === undefined ? undefined : await readJson(flags.metainfo),
    validDays: numberOf(flags.validDays),
    durable: flags.sync,
  });
  print(`${fqrn}: created in ${directory}; clients need ${flags.keys}/${fqrn}.pub`);
}

function addPublish(program: Command): void {
  program
    .command('publish')
    .description('make a directory tree the next revision of a repository')
    .addHelpText('before', example('publish /srv/cvmfs/software.example.org ./tree -k ~/keys --tag v1.0'))
    .argument('<directory>', 'of the repository')
    .argument('<tree>', 'the directory whose content is published')
    .requiredOption(...KEYS)
    .option('--tag <name>', 'a name for this revision')
    .option('--description <text>', 'what the tag says about it')
    .option(...NO_SYNC)
    .action(publishTree);
}

async function publishTree(directory: string, tree: string, flags: PublishFlags): Promise<void> {
  const { publish } = await import('../publish/publish.ts');
  printPublication(await publish({ directory, keysDirectory: flags.keys }, tree, publishOptions(flags)));
}

interface PublishFlags {
  readonly keys: string;
  readonly tag?: string;
  readonly description?: string;
  readonly sync: boolean;
}

function publishOptions({ tag, description, sync }: PublishFlags): PublishOptions {
  return { tag: tag === undefined ? undefined : { name: tag, description }, durable: sync };
}

function printPublication(result: Publication): void {
  const { fqrn, manifest } = result.repository;
  if (!result.changed) {
    print(`${fqrn}: nothing has changed since revision ${manifest.revision}`);
    return;
  }
  const catalogs = `${result.catalogs} catalogs (${result.catalogsWritten} new)`;
  const objects = `${result.objectsWritten} new objects with ${result.bytesWritten} bytes`;
  print(`${fqrn}: revision ${manifest.revision}, ${result.entries} entries, ${catalogs}, ${objects}`);
}

function addIngest(program: Command): void {
  program
    .command('ingest')
    .description('publish the newest revision with the changes of a tar archive, as "cvmfsexec pack" makes it')
    .addHelpText('before', example('ingest /srv/cvmfs/software.example.org changes.tar -k ~/keys --base v1'))
    .argument('<directory>', 'of the repository')
    .argument('<archive>', 'not compressed; .wh.NAME in it deletes NAME')
    .requiredOption(...KEYS)
    .option('--base <path>', "the repository's directory that the archive is about; default: its root")
    .option('--tag <name>', 'a name for this revision')
    .option('--description <text>', 'what the tag says about it')
    .option(...NO_SYNC)
    .action(async (directory: string, archive: string, flags: PublishFlags & { base?: string }) => {
      const { ingest } = await import('../publish/ingest.ts');
      const options = { ...publishOptions(flags), base: flags.base };
      printPublication(await ingest({ directory, keysDirectory: flags.keys }, archive, options));
    });
}

function addTag(program: Command): void {
  program
    .command('tag')
    .description('list the tags, or add or remove one')
    .addHelpText(
      'before',
      example("tag /srv/cvmfs/software.example.org -k ~/keys --add v1.0 --description 'first release'"),
    )
    .argument('<directory>', 'of the repository')
    .option(...KEYS)
    .option('--add <name>', 'for the newest revision')
    .option('--description <text>', 'of the new tag')
    .option('--remove <name>', 'forget a name; its revision stays')
    .option(...NO_SYNC)
    .action(tag);
}

async function tag(
  directory: string,
  flags: { keys?: string; add?: string; description?: string; remove?: string; sync: boolean },
): Promise<void> {
  if (flags.add !== undefined || flags.remove !== undefined) {
    if (flags.keys === undefined) throw new Error('changing a tag needs the keys: add --keys <directory>');
    const add = flags.add === undefined ? undefined : { name: flags.add, description: flags.description };
    const { editTags } = await import('../publish/tag-edit.ts');
    await editTags({ directory, keysDirectory: flags.keys }, { add, remove: flags.remove, durable: flags.sync });
  }
  const { listTags } = await import('../publish/repository-info.ts');
  for (const { name, revision, timestamp, hash, description } of listTags(directory)) {
    print([name, revision, new Date(timestamp * 1000).toISOString(), hash, description].join('\t').trimEnd());
  }
}

function addResign(program: Command): void {
  program
    .command('resign')
    .description('sign a new whitelist: clients refuse a repository whose whitelist has expired')
    .addHelpText('before', example('resign /srv/cvmfs/software.example.org -k ~/keys --valid-days 30'))
    .argument('<directory>', 'of the repository')
    .requiredOption(...KEYS)
    .option('--valid-days <days>', 'from now on; default 30')
    .action(async (directory: string, flags: { keys: string; validDays?: string }) => {
      const { readRepositoryManifest } = await import('../publish/repository.ts');
      const { renewWhitelist } = await import('../publish/whitelist-renewal.ts');
      const { name: fqrn, rootHash } = readRepositoryManifest(directory);
      const { algorithm } = rootHash;
      const validDays = numberOf(flags.validDays);
      const expires = renewWhitelist({ directory, keysDirectory: flags.keys, fqrn, algorithm, validDays });
      print(`${fqrn}: whitelist valid until ${expires.toISOString()}`);
    });
}

function addInfo(program: Command): void {
  program
    .command('info')
    .description('say what a repository holds')
    .addHelpText('before', example('info /srv/cvmfs/software.example.org --json'))
    .argument('<directory>', 'of the repository')
    .option('--json', 'for programs')
    .action(async (directory: string, flags: { json?: boolean }) => {
      const { repositoryInfo } = await import('../publish/repository-info.ts');
      const info = repositoryInfo(directory);
      if (flags.json) return print(JSON.stringify(info, null, 2));
      for (const [key, value] of Object.entries(info)) print(`${`${key}:`.padEnd(20)} ${value}`);
    });
}

function example(words: string): string {
  return `Example:\n  cvmfs-publish ${words}\n`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function isCommanderError(error: unknown): error is CommanderError {
  return (
    error instanceof Error && 'exitCode' in error && 'code' in error && String(error.code).startsWith('commander.')
  );
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!isCommanderError(error)) return text;
  // Without a command commander prints its help, which went nowhere.
  if (error.code === 'commander.help') return 'a command is missing; see cvmfs-publish --help';
  return `${text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}; see cvmfs-publish --help`;
}
