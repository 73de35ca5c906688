// A publication in a process of its own, for tests that kill it: says "begun" when it begins.
import { publish } from '../../src/publish/publish.ts';

const [directory, keysDirectory, tree] = process.argv.slice(2);
process.stdout.write('begun\n');
await publish({ directory: directory!, keysDirectory: keysDirectory! }, tree!, { xattrs: new Map(), durable: false });
