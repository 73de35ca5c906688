// What the doctor says: one finding a line.

/**
 * - `ok`: as it should be
 * - `warning`: jobs work, but something is worse than it could be
 * - `problem`: jobs do not work
 */
export type State = 'ok' | 'warning' | 'problem';

export interface Finding {
  /** One or two words. */
  readonly subject: string;
  readonly state: State;
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

export interface Check {
  readonly subject: string;
  /** Milliseconds. Default 20 s. */
  readonly limit?: number;
  /** May reject: that is a problem, too. */
  run(): Promise<Finding | readonly Finding[]>;
}

export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

const LIMIT_MS = 20_000;

/** Never rejects, and takes no longer than the check's limit. */
export async function findingsOf({ subject, limit = LIMIT_MS, run }: Check): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const text = `no answer within ${limit / 1000} s`;
    timer = setTimeout(
      () => resolve({ subject, state: 'problem', text, advice: 'see what hangs: disk, network?' }),
      limit,
    );
  });
  try {
    const found = await Promise.race([run(), late]);
    return Array.isArray(found) ? found : [found as Finding];
  } catch (error) {
    return [{ subject, state: 'problem', text: (error as Error).message }];
  } finally {
    clearTimeout(timer);
  }
}

/** All at once; the findings in the order of the checks. */
export async function findings(checks: readonly Check[]): Promise<Finding[]> {
  return (await Promise.all(checks.map(findingsOf))).flat();
}
