// Many launchers at once on one cache, in the short form (`npm run soak -- many-launchers` is the long one).
import test from 'ava';
import { launchMany } from '../../soak/many-launchers.ts';

const OPTIONS = { seconds: 120, seed: 1 };

test.serial('launchers that share a cache with a tenth of the room: all read right, the quota is kept', async (t) => {
  t.log(await launchMany({ ...OPTIONS, say: (line) => t.log(line) }, 8, 60, 6));
  t.pass();
});

test.serial('launchers that share a cache with enough room fetch each object once, all together', async (t) => {
  t.log(await launchMany({ ...OPTIONS, say: (line) => t.log(line) }, 8, 40, 100));
  t.pass();
});
