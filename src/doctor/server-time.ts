// What time it is on a server: the header Date of its answer.
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';

const LIMIT_MS = 5000;

/** Of the first that tells, by Date.now(); undefined: none does. */
export async function serverTime(servers: readonly string[], proxies: string): Promise<number | undefined> {
  const [proxy = 'DIRECT'] = proxies.split(/[;|]/).filter((name) => name !== '' && name !== 'auto');
  const asked = servers.filter((url) => /^https?:/i.test(url)).map((url) => timeOf(`${url}/.cvmfspublished`, proxy));
  try {
    return await Promise.any(asked);
  } catch {
    return undefined;
  }
}

function timeOf(url: string, proxy: string): Promise<number> {
  const direct = proxy.toUpperCase() === 'DIRECT' || url.startsWith('https:');
  const target = direct ? new URL(url) : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
  return new Promise((resolve, reject) => {
    const ask = target.protocol === 'https:' ? secureRequest : request;
    const { hostname, port, pathname } = target;
    const path = direct ? pathname : url;
    const headers = { host: new URL(url).host };
    // Without an agent: no connection is kept that the process would wait for.
    const asked = ask({
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      path,
      headers,
      method: 'HEAD',
      agent: false,
    });
    asked.setTimeout(LIMIT_MS, () => asked.destroy(new Error('timed out')));
    asked.on('error', reject);
    asked.on('response', (response) => {
      const time = Date.parse(response.headers.date ?? '');
      response.destroy();
      if (Number.isNaN(time)) reject(new Error('no date'));
      else resolve(time);
    });
    asked.end();
  });
}
