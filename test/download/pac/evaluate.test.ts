import test, { type ExecutionContext } from 'ava';
import { Resolver } from '../../../src/download/dns/resolver.ts';
import { proxiesOfAnswer } from '../../../src/download/pac/answer.ts';
import { evaluatePac, type PacLimits } from '../../../src/download/pac/evaluate.ts';
import { DnsServer, type Records } from '../../support/dns-server.ts';

const QUESTION = ['http://s1.example.org/cvmfs/x/.cvmfspublished', 's1.example.org'] as const;

async function answer(
  t: ExecutionContext,
  script: string,
  records: Readonly<Record<string, Records>> = {},
  limits?: PacLimits,
): Promise<string> {
  const server = await DnsServer.start(records);
  t.teardown(() => server.close());
  const environment = { HOST_ALIASES: '/dev/null' };
  const resolver = new Resolver({ server: server.address, timeout: 1, retries: 0, environment });
  return (await evaluatePac(script, [QUESTION], resolver, limits))[0];
}

/** The value of an expression in the sandbox, as text. */
function value(t: ExecutionContext, expression: string, records?: Readonly<Record<string, Records>>): Promise<string> {
  return answer(t, `function FindProxyForURL(url, host) { return String(${expression}); }`, records);
}

test.serial('the function gets the URL and the host', async (t) => {
  t.is(await value(t, "url + ' ' + host"), QUESTION.join(' '));
});

test.serial('FindProxyForURLEx counts where there is one', async (t) => {
  const script =
    "function FindProxyForURL() { return 'DIRECT'; } function FindProxyForURLEx() { return 'PROXY six:1'; }";
  t.is(await answer(t, script), 'PROXY six:1');
});

test.serial('names are resolved on behalf of the script', async (t) => {
  const records = { 's1.example.org': { v4: ['10.1.2.3'], v6: ['2001:db8::5'] } };
  const script = `function FindProxyForURL(url, host) {
    var all = [isInNet(host, '10.0.0.0', '255.0.0.0'), isInNet(host, '10.9.0.0', '255.255.0.0'), dnsResolve(host),
      isResolvable('none.test'), dnsResolveEx(host), isInNetEx(host, '2001:db8::/32'), isInNetEx(host, '10.1.2.0/24'),
      isInNetEx(host, '10.1.3.0/24')];
    return all.join(' ');
  }`;
  t.is(await answer(t, script, records), 'true false 10.1.2.3 false 10.1.2.3;2001:db8::5 true true false');
});

test.serial('the functions that PAC files use', async (t) => {
  const cases: Record<string, string> = {
    "isPlainHostName('www')": 'true',
    "isPlainHostName('www.a')": 'false',
    "dnsDomainIs('www.Example.org', '.example.ORG')": 'true',
    "dnsDomainIs('www.example.com', '.example.org')": 'false',
    "localHostOrDomainIs('www', 'www.example.org')": 'true',
    "localHostOrDomainIs('home.example.org', 'www.example.org')": 'false',
    "dnsDomainLevels('a.b.c')": '2',
    "shExpMatch('http://a/b/c', '*/b/*')": 'true',
    "shExpMatch('http://a.b', 'http://?.?')": 'true',
    "shExpMatch('abc', 'a.c')": 'false',
    "isInNet('192.0.2.9', '192.0.2.0', '255.255.255.0')": 'true',
    "convert_addr('1.2.3.4')": '16909060',
    "weekdayRange('SUN', 'SAT')": 'true',
    "weekdayRange(['SUN','MON','TUE','WED','THU','FRI','SAT'][new Date().getUTCDay()], 'GMT')": 'true',
    "weekdayRange(['SUN','MON','TUE','WED','THU','FRI','SAT'][(new Date().getUTCDay() + 2) % 7], 'GMT')": 'false',
    'timeRange(0, 24)': 'true',
    'timeRange(0, 0, 0, 23, 59, 59)': 'true',
    "dateRange('JAN', 'DEC')": 'true',
    'dateRange(1, 31)': 'true',
    'dateRange(1990, 1991)': 'false',
    "sortIpAddressList('10.0.0.2;2001:db8::1;10.0.0.1')": '2001:db8::1;10.0.0.1;10.0.0.2',
    'typeof myIpAddress()': 'string',
    "alert('x')": 'undefined',
  };
  const keys = Object.keys(cases);
  const values = await value(t, `[${keys.join(', ')}].map(String).join('|')`);
  t.deepEqual(Object.fromEntries(values.split('|').map((text, i) => [keys[i], text])), cases);
});

test.serial('nothing of the machine is within reach', async (t) => {
  const things = ['process', 'require', 'module', 'fetch', 'XMLHttpRequest', 'console', 'Buffer', 'setTimeout'];
  const memory = ['ArrayBuffer', 'Uint8Array', 'SharedArrayBuffer', 'WebAssembly'];
  const types = await value(t, `[${[...things, ...memory].map((name) => `typeof ${name}`)}].join(' ')`);
  t.deepEqual([...new Set(types.split(' '))], ['undefined']);
  for (const way of [
    "this.constructor.constructor('return process')()",
    "dnsResolve.constructor('return process')()",
    "eval('process')",
    "(async () => {}).constructor('return process')()",
  ]) {
    await t.throwsAsync(value(t, way), { message: /EvalError|Error/ }, way);
  }
});

test.serial('a script that does not end, fills the memory, answers too much or is broken is given up', async (t) => {
  const limits = { time: 8, memory: 16 };
  const start = performance.now();
  const broken = {
    'for (;;);': /time|longer|broke off/i,
    "var a = 'x'; for (;;) a = [a, a + a.length, {}, a];": /time|longer|broke off|memory/i,
    "function FindProxyForURL() { return 'x'.repeat(1e6); }": /too long/,
    'function FindProxyForURL( {': /SyntaxError/,
    'var x = 1;': /FindProxyForURL/,
    "function FindProxyForURL() { throw new Error('no'); }": /no/,
    'var i = 0; function FindProxyForURL() { return dnsResolve(Math.random() + ".test"); }': /names/,
  };
  for (const [script, message] of Object.entries(broken)) {
    await t.throwsAsync(answer(t, script, {}, limits), { message }, script);
  }
  t.true(performance.now() - start < 60_000);
});

test.serial('a script that makes up names to be asked for is given up soon', async (t) => {
  const server = await DnsServer.start();
  t.teardown(() => server.close());
  const resolver = new Resolver({ server: server.address, environment: { HOST_ALIASES: '/dev/null' } });
  const script = `function FindProxyForURL() {
    $world.missing = Array.from({ length: 2000 }, (_, i) => 'n' + i + '.' + Object.keys($world.names).length + '.test');
    throw 'more';
  }`;
  await t.throwsAsync(evaluatePac(script, [QUESTION], resolver), { message: /more than 64 names/ });
  t.is(new Set(server.questions).size, 2 * 64, 'one name a round, of both families');
});

test.serial('answers as lists of proxies', (t) => {
  t.is(proxiesOfAnswer('PROXY a:1; PROXY b:2 ;DIRECT'), 'a:1;b:2;DIRECT');
  t.is(proxiesOfAnswer('SOCKS s:1; proxy  http://a:1;;HTTPS b'), 'http://a:1');
  t.is(proxiesOfAnswer('PROXY a|b:1; PROXY'), '');
});
