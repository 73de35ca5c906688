// Servers and proxies of a repository, the clock, the whitelist: by asking them.
import { Downloader } from '../download/downloader.ts';
import { type Reach, reachOfAll } from '../download/probe.ts';
import type { RepositorySettings } from '../filesystem/mounted-repository.ts';
import { isExpired, parseWhitelist } from '../repository/whitelist.ts';
import { verifyWhitelist } from '../repository/whitelist-verification.ts';
import type { Check, Finding } from './finding.ts';
import { serverTime } from './server-time.ts';

const MAX_WHITELIST = 1 << 20;
const NETWORK_LIMIT_MS = 45_000;
const DAY_MS = 86_400_000;
const SOON_DAYS = 3;

/** Runs with a downloader of its own, whatever becomes of it. */
function withDownloader<T>(settings: RepositorySettings, use: (downloader: Downloader) => Promise<T>): Promise<T> {
  const downloader = new Downloader({ ...settings.servers, maxRetries: 0, warn: () => {} });
  return use(downloader).finally(() => downloader.close());
}

export function serversCheck(settings: RepositorySettings): Check {
  return {
    subject: 'servers',
    limit: NETWORK_LIMIT_MS,
    run: () => withDownloader(settings, async (downloader) => serverFindings(await reachOfAll(downloader))),
  };
}

/** A line for each server; that one cannot be reached matters only if none can. */
export function serverFindings(all: readonly Reach[]): Finding[] {
  const reached = all.some(({ milliseconds }) => milliseconds !== undefined);
  const servers = [...new Set(all.map(({ server }) => server))];
  const findings = servers.map((server) => {
    const ways = all.filter((reach) => reach.server === server);
    const good = ways.filter(({ milliseconds }) => milliseconds !== undefined);
    good.sort((a, b) => (a.milliseconds ?? 0) - (b.milliseconds ?? 0));
    const bad = ways.filter(({ milliseconds }) => milliseconds === undefined);
    const said = good.map(
      ({ proxy, milliseconds = 0 }) => `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms ${way(proxy)}`,
    );
    const failed = bad.map(({ proxy, failure }) => `${way(proxy)}: ${failure}`);
    const state = good.length === 0 ? (reached ? 'warning' : 'problem') : bad.length > 0 ? 'warning' : 'ok';
    const text = `${server} ${[...said, ...failed].join('; ')}`;
    return { subject: 'server', state, text } satisfies Finding;
  });
  if (reached || findings.length === 0) return findings;
  const proxied = all.some(({ proxy }) => proxy !== 'DIRECT');
  const advice = proxied
    ? 'check CVMFS_HTTP_PROXY, the proxies and the network of this machine'
    : 'check the network; many sites need their proxy: CVMFS_HTTP_PROXY';
  return findings.map((finding, i) => (i === findings.length - 1 ? { ...finding, advice } : finding));
}

function way(proxy: string): string {
  return proxy === 'DIRECT' ? 'directly' : `through ${proxy}`;
}

export function whitelistCheck(settings: RepositorySettings): Check {
  return {
    subject: 'whitelist',
    limit: NETWORK_LIMIT_MS,
    run: () =>
      withDownloader(settings, async (downloader): Promise<Finding> => {
        const subject = 'whitelist';
        let data: Buffer;
        try {
          data = await downloader.file('/.cvmfswhitelist', MAX_WHITELIST);
        } catch {
          return {
            subject,
            state: 'problem',
            text: 'cannot be loaded from any server',
            advice: 'see the servers above',
          };
        }
        const { expires } = parseWhitelist(data);
        const until = new Date(expires.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:00:00Z'));
        const date = until.toISOString().slice(0, 10);
        if (isExpired(parseWhitelist(data), new Date())) {
          const advice = `check this machine's clock (${new Date().toISOString().slice(0, 16)} UTC); otherwise its owner has to renew it`;
          return { subject, state: 'problem', text: `expired on ${date}`, advice };
        }
        verifyWhitelist(data, settings);
        const days = Math.floor((until.getTime() - Date.now()) / DAY_MS);
        const text = `signed with a master key, valid until ${date}`;
        if (days >= SOON_DAYS) return { subject, state: 'ok', text };
        return { subject, state: 'warning', text, advice: 'its owner has to renew it soon' };
      }),
  };
}

const CLOSE_S = 120;
const FAR_S = 3600;

export function clockCheck({ servers: { servers, proxies = 'DIRECT' } }: RepositorySettings): Check {
  return {
    subject: 'clock',
    async run(): Promise<Finding[]> {
      const subject = 'clock';
      const time = await serverTime(servers, proxies);
      if (time === undefined) return [];
      const seconds = Math.round((Date.now() - time) / 1000);
      const size = Math.abs(seconds);
      const off = `${size < FAR_S ? `${size} s` : `${(size / 3600).toFixed(1)} h`} ${seconds < 0 ? 'behind' : 'ahead of'} the server's`;
      if (size < CLOSE_S) return [{ subject, state: 'ok', text: 'as the server’s' }];
      const advice = 'set the clock (NTP): signatures have an end of validity';
      return [{ subject, state: size < FAR_S ? 'warning' : 'problem', text: off, advice }];
    },
  };
}
