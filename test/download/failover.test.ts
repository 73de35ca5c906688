import test from 'ava';
import fc from 'fast-check';
import type { FailureCode } from '../../src/download/errors.ts';
import { Failover, type FailoverLimits } from '../../src/download/failover.ts';

const LIMITS = { maxRetries: 1, backoffInit: 2, backoffMax: 10 };
const TWO = { hosts: 2, proxies: 2 };

/** The steps that a row of failures leads to, with the no-cache state after each. */
function steps(failures: readonly FailureCode[], alternatives = TWO, limits: FailoverLimits = LIMITS): string[] {
  const failover = new Failover(limits);
  return failures.map((failure) => failover.next(failure, alternatives).kind + (failover.noCache ? ' no-cache' : ''));
}

test('a transfer failure of a server: once more, then the next server, then the end', (t) => {
  const row: FailureCode[] = ['HOST_CONNECTION', 'HOST_TOO_SLOW', 'HOST_SHORT'];
  t.deepEqual(steps(row), ['again', 'host', 'give-up']);
});

test('a refusal of a server is not repeated', (t) => {
  t.deepEqual(steps(['HOST_HTTP', 'HOST_HTTP']), ['host', 'give-up']);
  t.deepEqual(steps(['HOST_RESOLVE', 'HOST_RESOLVE']), ['host', 'give-up']);
});

test('corrupt data: past the caches, then the next server, past the caches again, then the end', (t) => {
  const row: FailureCode[] = ['BAD_DATA', 'BAD_DATA', 'BAD_DATA', 'BAD_DATA'];
  t.deepEqual(steps(row), ['again no-cache', 'host', 'again no-cache', 'give-up']);
});

test('a transfer failure while asking past the caches is not repeated', (t) => {
  t.deepEqual(steps(['BAD_DATA', 'HOST_SHORT', 'HOST_SHORT']), ['again no-cache', 'host', 'again']);
});

test('proxies: once more, each other proxy, then the next server with all proxies, then the end', (t) => {
  const row: FailureCode[] = Array(5).fill('PROXY_CONNECTION');
  t.deepEqual(steps(row), ['again', 'proxy', 'proxies-and-host', 'proxy', 'give-up']);
});

test('endless fail-over: when all servers and proxies have failed, all proxies once more', (t) => {
  const row: FailureCode[] = Array(8).fill('PROXY_RESOLVE');
  t.deepEqual(steps(row, TWO, { ...LIMITS, indefinitely: true }), [
    'proxy',
    'proxies-and-host',
    'proxy',
    'proxies-again',
    'proxy',
    'proxies-again',
    'proxy',
    'proxies-again',
  ]);
});

test('local failures and bad URLs are final', (t) => {
  for (const code of ['LOCAL_IO', 'BAD_URL', 'CANCELED'] as const) t.deepEqual(steps([code]), ['give-up']);
});

test('a single server and no proxy: one retry', (t) => {
  t.deepEqual(steps(['HOST_SHORT', 'HOST_SHORT'], { hosts: 1, proxies: 1 }), ['again', 'give-up']);
});

test('the delay before a retry is random at first, doubled from then on, and bounded', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), (retries) => {
      const failover = new Failover({ ...LIMITS, maxRetries: retries });
      let before = 0;
      for (let i = 0; i < retries; i++) {
        const step = failover.next('HOST_SHORT', TWO);
        const delay = step.kind === 'again' ? step.delay : -1;
        t.true(delay >= 0 && delay <= 10_000);
        t.true(before === 0 ? delay <= 2000 : delay === Math.min(before * 2, 10_000));
        before = delay;
      }
    }),
  );
});

test('whatever fails, it comes to an end', (t) => {
  const codes: FailureCode[] = [
    'HOST_HTTP',
    'PROXY_HTTP',
    'BAD_DATA',
    'HOST_SHORT',
    'PROXY_SHORT',
    'PROXY_RESOLVE',
    'HOST_RESOLVE',
  ];
  fc.assert(
    fc.property(fc.infiniteStream(fc.constantFrom(...codes)), fc.nat(5), fc.nat(5), (failures, hosts, proxies) => {
      const failover = new Failover(LIMITS);
      let count = 0;
      for (const failure of failures) {
        count++;
        if (failover.next(failure, { hosts: hosts + 1, proxies: proxies + 1 }).kind === 'give-up') break;
        if (count > 500) return false;
      }
      return true;
    }),
  );
  t.pass();
});
