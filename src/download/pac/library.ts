// The functions that PAC files may call, and nothing else. The text of `definePacFunctions` is run inside the sandbox of
// evaluate.ts, so it may refer to nothing outside of itself.
//
// A sandbox has no way to the network. What has to be looked up is looked up between runs: the function notes what it
// misses in `world.missing` and the run is given up; the next run finds the answer in `world`.

export interface World {
  /** Addresses of a name; empty: it has none. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Of this machine. */
  readonly own: readonly string[];
  /** Names that the run would have needed. */
  missing?: string[];
}

export function definePacFunctions(world: World): Record<string, unknown> {
  const given = (value: unknown) => value !== undefined;
  const lower = (text: unknown) => String(text).toLowerCase();

  function addresses(host: unknown): readonly string[] {
    const name = String(host);
    if (toNumber(name) !== undefined || name.includes(':')) return [name];
    if (Object.hasOwn(world.names, name)) return world.names[name];
    world.missing = [name];
    throw new Error(`needs the address of ${name}`);
  }
  const isV4 = (address: string) => !address.includes(':');
  function toNumber(address: unknown): number | undefined {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(String(address));
    const bytes = match?.slice(1).map(Number);
    if (!bytes || bytes.some((byte) => byte > 255)) return undefined;
    return ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  }
  /** Sixteen bytes. */
  function toBytes(address: string): number[] | undefined {
    const v4 = toNumber(address);
    if (v4 !== undefined)
      return [...Array(10).fill(0), 255, 255, v4 >>> 24, (v4 >> 16) & 255, (v4 >> 8) & 255, v4 & 255];
    const halves = address.split('::');
    if (halves.length > 2) return undefined;
    const [head, tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
    const zeros = halves.length === 2 ? Array(Math.max(0, 8 - head.length - tail.length)).fill('0') : [];
    const words = [...head, ...zeros, ...tail].map((word) =>
      /^[0-9a-f]{1,4}$/i.test(word) ? Number(`0x${word}`) : -1,
    );
    if (words.length !== 8 || words.includes(-1)) return undefined;
    return words.flatMap((word) => [word >> 8, word & 255]);
  }

  function isPlainHostName(host: unknown): boolean {
    return !String(host).includes('.');
  }
  function dnsDomainIs(host: unknown, domain: unknown): boolean {
    return lower(host).endsWith(lower(domain));
  }
  function localHostOrDomainIs(host: unknown, full: unknown): boolean {
    return lower(host) === lower(full) || (isPlainHostName(host) && lower(full).startsWith(`${lower(host)}.`));
  }
  function dnsDomainLevels(host: unknown): number {
    return String(host).split('.').length - 1;
  }
  function dnsResolve(host: unknown): string | null {
    return addresses(host).find(isV4) ?? null;
  }
  function dnsResolveEx(host: unknown): string {
    return addresses(host).join(';');
  }
  function isResolvable(host: unknown): boolean {
    return dnsResolve(host) !== null;
  }
  function isResolvableEx(host: unknown): boolean {
    return addresses(host).length > 0;
  }
  function isInNet(host: unknown, pattern: unknown, mask: unknown): boolean {
    const [address, network, bits] = [dnsResolve(host), pattern, mask].map((text) => toNumber(text));
    if (address === undefined || network === undefined || bits === undefined) return false;
    return (address & bits) >>> 0 === (network & bits) >>> 0;
  }
  function isInNetEx(host: unknown, prefix: unknown): boolean {
    const [network, length] = String(prefix).split('/');
    const wanted = toBytes(network);
    const bits = isV4(network) ? Number(length) + 96 : Number(length);
    if (!wanted || !(bits >= 0 && bits <= 128)) return false;
    return addresses(host).some((address) => {
      const bytes = isV4(address) === isV4(network) ? toBytes(address) : undefined;
      return bytes?.every((byte, i) => {
        const mask = (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 255;
        return (byte & mask) === (wanted[i] & mask);
      });
    });
  }
  function convert_addr(address: unknown): number {
    return toNumber(address) ?? 0;
  }
  function myIpAddress(): string {
    return world.own.find(isV4) ?? '127.0.0.1';
  }
  function myIpAddressEx(): string {
    return world.own.join(';');
  }
  function sortIpAddressList(list: unknown): string {
    const sorted = String(list)
      .split(';')
      .map((text) => ({ text: text.trim(), bytes: toBytes(text.trim()) }))
      .sort((a, b) => {
        // IPv6 comes first.
        const [one, other] = [Number(isV4(a.text)), Number(isV4(b.text))];
        const difference = a.bytes?.findIndex((byte, i) => byte !== b.bytes?.[i]) ?? -1;
        return one - other || (difference < 0 ? 0 : (a.bytes?.[difference] ?? 0) - (b.bytes?.[difference] ?? 0));
      });
    return sorted.some(({ bytes }) => !bytes) ? '' : sorted.map(({ text }) => text).join(';');
  }
  function shExpMatch(text: unknown, pattern: unknown): boolean {
    const source = String(pattern)
      .replace(/[.+^${}()|\\[\]]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${source}$`, 's').test(String(text));
  }

  /** The arguments without a last 'GMT', and the time's fields in that zone. */
  function clock(args: unknown[]) {
    const utc = args.at(-1) === 'GMT';
    const now = new Date();
    const part = (name: string) => (now as unknown as Record<string, () => number>)[`get${utc ? 'UTC' : ''}${name}`]();
    return { words: utc ? args.slice(0, -1) : args, part };
  }
  const between = (value: number, from: number, to: number) =>
    from <= to ? value >= from && value <= to : value >= from || value <= to;

  const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
  const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

  function weekdayRange(...args: unknown[]): boolean {
    const { words, part } = clock(args.filter(given));
    const [from, to = from] = words.map((word) => DAYS.indexOf(String(word)));
    return from >= 0 && to >= 0 && between(part('Day'), from, to);
  }
  function dateRange(...args: unknown[]): boolean {
    const { words, part } = clock(args.filter(given));
    // Year, month and day of one bound; what is not given is that of today.
    const bound = (some: unknown[]) => {
      const date = [part('FullYear'), part('Month'), part('Date')];
      for (const word of some) {
        const month = MONTHS.indexOf(String(word));
        if (month >= 0) date[1] = month;
        else if (Number(word) > 31) date[0] = Number(word);
        else date[2] = Number(word);
      }
      return (date[0] * 12 + date[1]) * 31 + date[2];
    };
    const today = bound([]);
    if (words.length === 1) return bound(words) === today;
    const half = words.length / 2;
    const [from, to] = [bound(words.slice(0, half)), bound(words.slice(half))];
    return between(today, from, to);
  }
  function timeRange(...args: unknown[]): boolean {
    const { words, part } = clock(args.filter(given));
    const n = words.map(Number);
    const now = part('Hours') * 3600 + part('Minutes') * 60 + part('Seconds');
    if (n.length === 1) return part('Hours') === n[0];
    const half = n.length / 2;
    const seconds = ([hours, minutes = 0, rest = 0]: number[]) => hours * 3600 + minutes * 60 + rest;
    return between(now, seconds(n.slice(0, half)), seconds(n.slice(half)) - (n.length === 2 ? 1 : 0));
  }

  return {
    isPlainHostName,
    dnsDomainIs,
    localHostOrDomainIs,
    dnsDomainLevels,
    dnsResolve,
    dnsResolveEx,
    isResolvable,
    isResolvableEx,
    isInNet,
    isInNetEx,
    convert_addr,
    myIpAddress,
    myIpAddressEx,
    sortIpAddressList,
    shExpMatch,
    weekdayRange,
    dateRange,
    timeRange,
    alert: () => {},
    getClientVersion: () => '1.0',
  };
}
