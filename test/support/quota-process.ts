// A process that reads objects through a cache with a quota: `quota-process.ts URL CACHE LIMIT ROUNDS`, lines
// "hash size sha1-of-content" on standard input, each round in another order. Prints JSON: how often what was read was right,
// and what the store counts. Exits 1 when something was wrong.
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { openCache } from '../../src/cache/open-cache.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { Downloader } from '../../src/download/downloader.ts';
import { ContentHash } from '../../src/objects/hash.ts';

const [url, directory, limit, rounds] = process.argv.slice(2);
const source = new Downloader({ servers: [url], timeoutDirect: 30 });
const warnings: string[] = [];
const warn = (line: string) => warnings.push(line);
const opened = openCache({ kind: 'posix', directory, access: 'private', limit: Number(limit) }, warn);
const store = new CacheStore({ ...opened, source, warn, memory: 1 << 20 });
const lines = (await text(process.stdin)).trim().split('\n');
const objects = lines.map((line) => line.split(' '));
let right = 0;
for (let round = 0; round < Number(rounds); round++) {
  const order = objects.map((object) => ({ object, key: Math.random() })).sort((a, b) => a.key - b.key);
  for (const { object } of order) await read(object);
}
const status = store.status();
source.close();
await store.close();
console.log(JSON.stringify({ right, warnings, status }));
process.exitCode = right === objects.length * Number(rounds) ? 0 : 1;

async function read([name, digits, expected]: string[]): Promise<void> {
  const hash = ContentHash.parse(name) as ContentHash;
  const size = Number(digits);
  // An object may be removed between its arrival and its use, as a reader of the file system would see.
  for (let attempt = 0; attempt < 5; attempt++) {
    const object = store.open(hash, size);
    if (!object) {
      await store.fetch({ hash, letter: '', compression: 'zlib', size, label: name });
      continue;
    }
    const bytes = Buffer.alloc(size);
    let at = 0;
    for (let count = 1; at < size && count > 0; at += count) count = object.read(bytes, at, size - at, at);
    object.close();
    if (createHash('sha1').update(bytes).digest('hex') === expected) right++;
    return;
  }
}
