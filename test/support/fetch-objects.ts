// A process that fetches objects into a cache: `fetch-objects.ts URL CACHE`, lines "hash size" on standard input.
// Exits 0 when each of them is local and of its size.
import { text } from 'node:stream/consumers';
import { CacheDirectory } from '../../src/cache/directory.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { ContentHash } from '../../src/objects/hash.ts';

const [url, path] = process.argv.slice(2);
const source = new Downloader({ servers: [url], timeoutDirect: 30 });
const store = new CacheStore({
  directory: CacheDirectory.open(path),
  source,
  warn: (line) => {
    console.error(line);
    process.exitCode = 1;
  },
});
const lines = (await text(process.stdin)).split('\n').map((line) => line.split(' '));
await Promise.all(
  lines.map(async ([name, digits]) => {
    const hash = ContentHash.parse(name);
    if (!hash) throw new Error(`not a hash: ${name}`);
    const size = Number(digits);
    await store.fetch({ hash, letter: '', compression: 'zlib', size, label: name });
    const object = store.open(hash, size);
    if (object?.size !== size) throw new Error(`${name} is not local`);
    object.close();
  }),
);
source.close();
await store.close();
