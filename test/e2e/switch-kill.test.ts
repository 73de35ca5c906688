// kill -9 of the server in the middle of a switch of revisions, in the short form (`npm run soak -- switch-kill` is the long one).
import test from 'ava';
import { killSwitching } from '../../soak/switch-kill.ts';

test.serial(
  'a server that is killed while it goes to a new revision: all is new afterwards, and nothing fails',
  async (t) => {
    const seed = Date.now() % 1_000_000;
    t.log(`seed ${seed}`);
    t.log(await killSwitching({ seed, say: (line) => t.log(line) }, 6));
    t.pass();
  },
);
