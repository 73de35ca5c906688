/** A command line that cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

export const HINT = "see 'cvmfsexec --help'";
/** Of a word that looks like one. */
export const COMMAND_HINT = `a command comes after '--'; ${HINT}`;

/** Runs what throws UsageErrors with HINT, for a program with a help of its own. */
export function hintingAt<Result>(program: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message.replace(COMMAND_HINT, HINT).replace(HINT, `see '${program} --help'`), {
      cause: error,
    });
  }
}
