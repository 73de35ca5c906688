import { Pending } from '../fuse/operations.ts';

/** Each of them brings something; more is a file system that asks again and again for what it has. */
const MAX_ATTEMPTS = 10_000;

/** Runs `attempt` until nothing it needs is missing. Rejects with what it throws, or with why something cannot be fetched. */
export async function whenLocal<Value>(attempt: () => Value, maxAttempts = MAX_ATTEMPTS): Promise<Awaited<Value>> {
  for (let i = 0; i < maxAttempts; i++) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof Pending)) throw thrown;
      await thrown.ready;
    }
  }
  throw new Error(`still not ready after ${maxAttempts} attempts`);
}
