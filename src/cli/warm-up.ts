// Run at the end of a build, to fill the code cache with the functions that a start compiles: opens the repository FQRN
// in DIRECTORY as the server of a launch does, and answers a first few requests, without a kernel.

import { MountedRepository } from '../filesystem/mounted-repository.ts';
import { Connection } from '../fuse/connection.ts';
import { Opcode } from '../fuse/opcodes.ts';
import { parseLaunchWords, resolvePaths } from './launch-words.ts';
import { repositorySettings } from './settings/repository.ts';
import './server.ts';

const ROOT = 1;
const HEADER_WORDS = 10;

export async function main([directory, fqrn]: string[]): Promise<number> {
  const words = parseLaunchWords([
    `-oCVMFS_SERVER_URL=file://${directory}/@fqrn@`,
    `-oCVMFS_PUBLIC_KEY=${directory}/keys/${fqrn}.pub`,
    `-oCVMFS_CACHE_BASE=${directory}/cache`,
    fqrn,
  ]);
  const launch = resolvePaths(words, directory);
  // Twice: the second time finds everything in the cache, as most starts do.
  for (let i = 0; i < 2; i++) {
    const settings = await repositorySettings(fqrn, launch, fail);
    await answer(await MountedRepository.open(settings));
  }
  return 0;
}

async function answer(repository: MountedRepository): Promise<void> {
  const { operations } = repository;
  const timeouts = { entryTimeout: 1, attributeTimeout: 1 };
  const connection = new Connection(
    { operations, answerOpen: false, readOnlyMount: true, listXattr: true, ...timeouts },
    { write: () => {} },
  );
  const { request } = connection;
  const send = (opcode: number, ...body: number[]): void => {
    request.words.fill(0, 0, HEADER_WORDS + 16);
    request.words.set([(HEADER_WORDS + body.length) * 4, opcode, 2, 0, ROOT, 0]);
    request.words.set(body, HEADER_WORDS);
    connection.receive();
  };
  send(Opcode.INIT, 7, 45, 131_072, 0x73fffffb, 0x5fd, ...new Array(11).fill(0));
  send(Opcode.GETATTR, 0, 0, 0, 0);
  send(Opcode.LOOKUP, 0x7473656e, 0x6465); // "nested"
  send(Opcode.READDIRPLUS, 0, 0, 0, 0, 4096, 0, 0, 0, 0, 0);
  send(Opcode.STATFS);
  await repository.close();
}

function fail(message: string): never {
  throw new Error(message);
}
