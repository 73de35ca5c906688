// How long what was verified counts: the whitelist's expiry, CVMFS_MAX_TTL. These tests mostly wait, so they run at once.
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { renewWhitelist } from '../../src/publish/whitelist-renewal.ts';
import type { TestRepository } from '../support/repository.ts';
import { Installation } from '../support/run-cvmfsexec.ts';
import { type At, updatingRepository } from '../support/updating-repository.ts';

const place = new Installation();

test.after.always(() => place.close());

function small(at: At): void {
  writeFileSync(at('value'), 'one\n');
  writeFileSync(at('same'), 'same\n');
}

const two = (at: At): void => writeFileSync(at('value'), 'two\n');

function renew({ directory, keysDirectory, fqrn }: TestRepository, validDays: number): void {
  renewWhitelist({ directory, keysDirectory, fqrn, algorithm: 'sha1', validDays });
}

test('CVMFS_MAX_TTL: a new revision shows within it, though the repository has a long time to live', async (t) => {
  const { publish, shell, mount } = await updatingRepository(t, place, { writeTree: small, ttl: 3600 });
  const limited = shell({ parameters: { MAX_TTL: '1', CACHE_BASE: place.newPath() } });
  const patient = shell({ parameters: { CACHE_BASE: place.newPath() } });
  for (const job of [limited, patient]) t.is(await job.output(`cat ${mount}/value`), 'one');
  const began = performance.now();
  await publish(two);
  t.is(await limited.until(`cat ${mount}/value`, 'two', 90), 'two', limited.stderr);
  // It is stretched by a tenth at most.
  const seconds = (performance.now() - began) / 1000;
  t.true(seconds > 50 && seconds < 75, `${seconds} s`);
  t.is(await patient.output(`cat ${mount}/value`), 'one');
  const expires = Number.parseInt(await limited.output(`getfattr --only-values -n user.expires ${mount}`), 10);
  t.true(expires <= 2, `minutes left: ${expires}`);
});

test('a mount whose whitelist expires goes on with its revision, says so once, and follows when it is renewed', async (t) => {
  const { repository, publish, shell, mount } = await updatingRepository(t, place, { writeTree: small });
  const job = shell();
  t.is(await job.output(`cat ${mount}/value`), 'one');
  renew(repository, -1);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  // Nothing new needs to be verified.
  t.is(job.stderr, '');
  await publish(two);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  t.is(await job.output(`cat ${mount}/value ${mount}/same`), 'one\nsame');
  const told = job.stderr
    .split('\n')
    .filter((line) => /going on with revision \d+: the whitelist of .* expired on/.test(line));
  t.is(told.length, 1, job.stderr);
  renew(repository, 1);
  t.is(await job.until(`cat ${mount}/value`, 'two'), 'two', job.stderr);
});

test('an expired whitelist: refused in one line, but what was verified before is used from the cache', async (t) => {
  const { repository, publish, parameters, mount } = await updatingRepository(t, place, { writeTree: small });
  const launch = (more = {}) =>
    place.run({
      repositories: [repository.fqrn],
      parameters: { ...parameters, ...more },
      command: ['cat', `${mount}/value`],
    });
  const before = await launch();
  t.is(before.stdout, 'one\n', before.stderr);
  renew(repository, -1);
  await publish(two);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const cached = await launch();
  t.is(cached.stdout, 'one\n');
  t.regex(
    cached.stderr,
    /^cvmfsexec: [^\n]*using revision \d+ from the cache: the whitelist of [^\n]* expired on [^\n]*\n$/,
  );
  const refused = await launch({ CACHE_BASE: place.newPath() });
  t.is(refused.exitCode, 125);
  t.is(refused.stdout, '');
  t.regex(
    refused.stderr,
    /^cvmfsexec: cannot mount [^\n]*: the whitelist of [^\n]* expired on [^\n]*its owner has to renew it\n$/,
  );
});
