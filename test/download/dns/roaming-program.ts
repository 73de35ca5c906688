// A machine that goes to another network, in namespaces of its own: its two networks have a name server each, which know the
// proxy and the server under different addresses. Argument: a file to stand for /etc/resolv.conf. Prints, as JSON, who
// answered three downloaders before, and who does in the end.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_RESOLVER_SETTINGS } from '../../../src/download/dns/resolver.ts';
import { Downloader } from '../../../src/download/downloader.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { TestServer } from '../../support/http-server.ts';

const LIMIT_MS = 30_000;
const file = process.argv[2];
execFileSync('ip', ['link', 'set', 'lo', 'up']);
writeFileSync(file, 'nameserver 127.0.0.2\n');
execFileSync('mount', ['--bind', file, '/etc/resolv.conf']);

async function network(name: string, nameServer: string, proxy: string, server: string): Promise<void> {
  const ttl = 36_000;
  await DnsServer.start({ 'proxy.test': { v4: [proxy], ttl }, 'server.test': { v4: [server], ttl } }, 53, nameServer);
  for (const [address, port] of [
    [proxy, 3128],
    [server, 8000],
  ] as const) {
    const listening = await TestServer.start({}, port, address);
    listening.fault(/./, { body: name, headers: { connection: 'close' } });
  }
}
await network('home', '127.0.0.2', '127.0.0.11', '127.0.0.21');
await network('away', '127.0.0.3', '127.0.0.12', '127.0.0.22');

const dns = { ...DEFAULT_RESOLVER_SETTINGS, environment: { HOST_ALIASES: '/dev/null' }, roaming: true };
const settings = { servers: ['http://server.test:8000'], dns };
const regular = new Downloader({ ...settings, proxies: 'http://proxy.test:3128' });
// As a repository has it for external data: its own proxies, the same resolver.
const external = new Downloader({ ...settings, proxies: 'http://proxy.test:3128' }, regular.resolver);
const direct = new Downloader({ ...settings, proxies: 'DIRECT' }, regular.resolver);
const answers = async () => {
  const texts = await Promise.all([regular, external, direct].map((downloader) => downloader.file('/x', 1000)));
  return texts.map(String);
};

const before = await answers();
writeFileSync(file, '# another network\nnameserver 127.0.0.3\n');
const start = performance.now();
let after = before;
while (after.includes('home') && performance.now() - start < LIMIT_MS) {
  await sleep(200);
  after = await answers();
}
console.log(JSON.stringify({ before, after }));
process.exit(0);
