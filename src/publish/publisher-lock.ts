// One publication at a time: a lock that the system takes away from a process that dies.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PublishError } from './errors.ts';

/** Name of the lock's file in data/txn; what else is there may be removed by the holder. */
export const LOCK_FILE = 'lock';

/** Runs `work` as the only publisher of the repository. @throws PublishError LOCKED, at once */
export async function withPublisherLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const path = join(directory, 'data/txn', LOCK_FILE);
  let database: DatabaseSync;
  try {
    // SQLite's file locks are those of fcntl: they go with their process, whatever ends it.
    database = new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw new PublishError(
      'IO',
      `cannot open the lock ${path}: is ${directory} a repository that you may write?`,
      error,
    );
  }
  try {
    try {
      database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    } catch (error) {
      const message = `cannot publish to ${directory}: another publication is under way, wait until it is done`;
      throw new PublishError('LOCKED', message, error);
    }
    return await work();
  } finally {
    database.close();
  }
}
