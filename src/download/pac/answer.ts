// What a PAC function answers, as a list of proxies (client.md §7.5): `PROXY a; PROXY b; DIRECT` is `a;b;DIRECT`.

/** Other kinds than PROXY and DIRECT are left out. */
export function proxiesOfAnswer(answer: string): string {
  const tokens = answer.split(';').map((token) => token.trim());
  const proxies = tokens.map((token) => {
    if (/^DIRECT$/i.test(token)) return 'DIRECT';
    return /^PROXY\s+([^\s|]+)$/i.exec(token)?.[1] ?? '';
  });
  return proxies.filter((proxy) => proxy !== '').join(';');
}
