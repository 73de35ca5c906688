// Finds the site's proxies for `auto`: the environment, else the PAC files of CVMFS_PAC_URLS (client.md §7.5).
import { promises as fs } from 'node:fs';
import type { Resolver } from './dns/resolver.ts';
import { DownloadError } from './errors.ts';
import { DIRECT, type Sender } from './sender.ts';
import { parseServer, type Server } from './server-chain.ts';

export interface Discovery {
  /** A list of proxies; '' when none are announced. */
  readonly proxies?: string;
  /** Why nobody could be asked, where there should have been somebody. */
  readonly failure?: string;
}

export interface DiscoveryOptions {
  readonly pacUrls: readonly string[];
  readonly servers: readonly Server[];
  readonly sender: Sender;
  readonly resolver: Resolver;
  readonly warn: (line: string) => void;
  /** Called when something answers for one of the URLs: it is worth waiting for the rest. */
  readonly answered: () => void;
}

const WPAD = 'http://wpad/wpad.dat';
const MAX_PAC_BYTES = 1024 * 1024;
/** For reading one, however steadily it comes. */
const PAC_SECONDS = 30;

/** The word `auto` stands for the usual place. */
export function pacUrls(text: string): string[] {
  const words = text.split(';').map((word) => word.trim());
  return words.filter((word) => word !== '').map((word) => (word === 'auto' ? WPAD : word));
}

/** Tries one URL after the other. Never rejects. */
export async function discoverProxies(options: DiscoveryOptions): Promise<Discovery> {
  const failures: string[] = [];
  for (const url of options.pacUrls) {
    try {
      const script = await readPac(url, options);
      if (script === undefined) continue;
      options.answered();
      return { proxies: await proxiesOf(script, url, options) };
    } catch (error) {
      failures.push(`${url}: ${(error as Error).message}`);
    }
  }
  if (failures.length === 0) return { proxies: '' };
  return { failure: `proxy discovery failed: ${failures.join('; ')}` };
}

/** Undefined: there is no such name, or no such file. */
async function readPac(url: string, { sender, resolver, answered }: DiscoveryOptions): Promise<string | undefined> {
  if (/^file:|^\//i.test(url)) {
    const path = url.replace(/^file:(\/\/(localhost)?)?(?=\/)/i, '');
    const text = await fs.readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined && text.length > MAX_PAC_BYTES) throw new Error(`larger than ${MAX_PAC_BYTES} bytes`);
    return text;
  }
  const match = /^(https?:\/\/[^/]+)(\/.*)?$/i.exec(url);
  if (!match) throw new DownloadError('BAD_URL', 'not a usable URL');
  const server = parseServer(match[1]);
  const { host } = server.endpoint ?? { host: '' };
  if (process.getBuiltinModule('node:net').isIP(host) === 0) {
    try {
      await resolver.resolve(host);
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOTFOUND') return undefined;
      throw error;
    }
  }
  answered();
  const script = await sender.fetch(match[2] ?? '/', MAX_PAC_BYTES, { server, proxy: DIRECT }, PAC_SECONDS);
  return script.toString();
}

async function proxiesOf(script: string, url: string, options: DiscoveryOptions): Promise<string> {
  const { evaluatePac } = await import('./pac/evaluate.ts');
  const { proxiesOfAnswer } = await import('./pac/answer.ts');
  const servers = options.servers.flatMap(({ name, endpoint }) => (endpoint ? [{ name, host: endpoint.host }] : []));
  if (servers.length === 0) return '';
  const questions = servers.map(({ name, host }) => [`${name}/.cvmfspublished`, host] as const);
  const [first, ...others] = (await evaluatePac(script, questions, options.resolver)).map(proxiesOfAnswer);
  if (others.some((other) => other !== first)) {
    options.warn(`${url} names different proxies for the servers: those for ${servers[0].name} are used for all`);
  }
  return first;
}
