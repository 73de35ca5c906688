// The Geo-API: servers sort a list of names by their distance from the client (client.md §7.8).
import type { Server } from './server-chain.ts';

/** Stands between servers and proxies where all proxies are fallback proxies. */
export const SEPARATOR = '+PXYSEP+';

/** Path below a repository's URL. */
export function geoPath(id: string, names: readonly string[]): string {
  return `/api/v1.0/geo/${id}/${names.join(',')}`;
}

/** Zero-based order of `count` names; undefined when the answer is no permutation of them. */
export function parseGeoAnswer(text: string, count: number): number[] | undefined {
  if (!/^[0-9, \n]+$/.test(text)) return undefined;
  const fields = text.replace(/[ \n]/g, '').split(',');
  if (fields.length !== count || fields.some((field) => !/^[0-9]{1,6}$/.test(field))) return undefined;
  const order = fields.map((field) => Number(field) - 1);
  const distinct = new Set(order);
  return distinct.size === count && order.every((index) => index >= 0 && index < count) ? order : undefined;
}

/** By name, so that all clients behind one proxy ask the same question and its cache can answer. */
export function byHostName(servers: readonly Server[]): Server[] {
  return [...servers].sort((a, b) => (hostName(a) < hostName(b) ? -1 : Number(hostName(a) > hostName(b))));
}

export function hostName(server: Server): string {
  return server.endpoint?.host ?? server.name;
}

/** The servers in an order of their URLs; those it does not name come last. */
export function arrange(servers: readonly Server[], names: readonly string[]): Server[] {
  const place = (server: Server) => {
    const index = names.indexOf(server.name);
    return index < 0 ? names.length : index;
  };
  return [...servers].sort((a, b) => place(a) - place(b));
}
