import { Errno } from '../../fuse/operations.ts';
import { whenLocal } from '../when-local.ts';

/** Like whenLocal, for what reads catalogs. Why one cannot be used has been reported where that was found. */
export async function whenOpen<Value>(attempt: () => Value): Promise<Awaited<Value>> {
  try {
    return await whenLocal(attempt);
  } catch (thrown) {
    throw thrown instanceof Errno ? new Error('a catalog that is or was mounted cannot be read') : thrown;
  }
}
