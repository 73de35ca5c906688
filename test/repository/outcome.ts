// What became of a verification, in one word or two.
import type { RepositoryError } from '../../src/repository/errors.ts';

/** What happened: "ok", or the code (and reason) of the error, whose message must be one line. */
export async function outcome(verification: Promise<unknown>): Promise<string> {
  try {
    await verification;
    return 'ok';
  } catch (error) {
    const { name, code, reason, message } = error as RepositoryError;
    if (name !== 'RepositoryError' || message.includes('\n')) throw error;
    return reason ? `${code} ${reason}` : code;
  }
}
