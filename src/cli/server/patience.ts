// How often something is tried: what a launch needs at once, what a server that takes over another one's mounts needs in the
// end.

/** For how long a server that takes over tries again: those who wait for it have time. */
const AGAIN_LIMIT_MS = 300_000;

export type Attempt = <T>(action: () => Promise<T>, report: (message: string) => void) => Promise<T>;

export const once: Attempt = (action) => action();

export const again: Attempt = async (action, report) => {
  const deadline = performance.now() + AGAIN_LIMIT_MS;
  for (let pause = 200; ; pause = Math.min(2 * pause, 5000)) {
    try {
      return await action();
    } catch (error) {
      if (performance.now() + pause > deadline) throw error;
      report(`${(error as Error).message}; trying again`);
    }
    await sleep(pause);
  }
};

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
