// The hosts file: addresses that need no name server (client.md §7.11).
import { readFileSync } from 'node:fs';
import type { AddressList } from './addresses.ts';

/** $HOST_ALIASES, or /etc/hosts. What cannot be read holds nothing. */
export function readHostsFile(environment: NodeJS.ProcessEnv): string {
  try {
    return readFileSync(environment.HOST_ALIASES || '/etc/hosts', 'latin1');
  } catch {
    return '';
  }
}

/** All addresses that the text of a hosts file has for a name, in any case of letters; undefined when there is none. */
export function findInHosts(text: string, name: string): AddressList | undefined {
  const wanted = name.toLowerCase();
  const v4 = new Set<string>();
  const v6 = new Set<string>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!names.some((other) => other.toLowerCase() === wanted)) continue;
    if (/^\d+(\.\d+){3}$/.test(address)) v4.add(address);
    else if (/^[0-9A-Fa-f:.]+(%\w+)?$/.test(address) && address.includes(':')) v6.add(address);
  }
  return v4.size + v6.size === 0 ? undefined : { v4: [...v4], v6: [...v6] };
}
