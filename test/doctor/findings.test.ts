// What the doctor makes of what it finds, and that nothing keeps it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { withoutPasswords } from '../../src/cli/commands/doctor.ts';
import { cacheCheck } from '../../src/doctor/cache.ts';
import { findings, findingsOf } from '../../src/doctor/finding.ts';
import { clockCheck, serverFindings } from '../../src/doctor/network.ts';
import { sectionText, summary } from '../../src/doctor/report.ts';
import type { RepositorySettings } from '../../src/filesystem/mounted-repository.ts';
import { temporaryDirectory } from '../support/object-fixture.ts';

test('a check that hangs or throws is a problem, and does not keep the others', async (t) => {
  const found = await findings([
    { subject: 'hangs', limit: 50, run: () => new Promise(() => {}) },
    { subject: 'throws', run: () => Promise.reject(new Error('broken')) },
    { subject: 'fine', run: async () => ({ subject: 'fine', state: 'ok', text: 'yes' }) },
  ]);
  t.deepEqual(
    found.map(({ subject, state }) => `${subject} ${state}`),
    ['hangs problem', 'throws problem', 'fine ok'],
  );
  t.regex(found[0].text, /no answer within 0\.05 s/);
});

test('a server that cannot be reached is a problem only when none can', (t) => {
  const reach = (server: string, proxy: string, milliseconds?: number) => ({
    server,
    proxy,
    ...(milliseconds === undefined ? { failure: 'connection refused' } : { milliseconds }),
  });
  t.deepEqual(
    serverFindings([reach('a', 'p', 12.34), reach('a', 'DIRECT', 3.21), reach('b', 'p'), reach('b', 'DIRECT')]),
    [
      { subject: 'server', state: 'ok', text: 'a 3.2 ms directly; 12 ms through p' },
      { subject: 'server', state: 'warning', text: 'b through p: connection refused; directly: connection refused' },
    ],
  );
  t.is(serverFindings([reach('a', 'p', 1), reach('a', 'q')])[0].state, 'warning');
  const none = serverFindings([reach('a', 'p'), reach('b', 'p')]);
  t.deepEqual(
    none.map(({ state }) => state),
    ['problem', 'problem'],
  );
  t.is(none[0].advice, undefined);
  t.regex(none[1].advice ?? '', /CVMFS_HTTP_PROXY/);
});

/** A server whose clock is `seconds` ahead. */
async function clock(t: ExecutionContext, seconds: number): Promise<RepositorySettings> {
  const server = createServer((_, response) => {
    response.setHeader('date', new Date(Date.now() + seconds * 1000).toUTCString());
    response.end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  return { servers: { servers: ['http://127.0.0.1:1/x', url] } } as unknown as RepositorySettings;
}

test('the clock is compared with the first server that tells', async (t) => {
  const state = async (seconds: number) => (await findingsOf(clockCheck(await clock(t, seconds))))[0];
  t.is((await state(0)).state, 'ok');
  t.like(await state(600), { state: 'warning' });
  t.regex((await state(600)).text, /^(599|600|601) s behind the server's$/);
  t.like(await state(-100_000), { state: 'problem', text: "27.8 h ahead of the server's" });
});

test('the cache’s place: taken, configured, nowhere', async (t) => {
  const [good, other] = [temporaryDirectory(t), temporaryDirectory(t)];
  const places = { shared: ['/nonexistent', good], scratch: [], homes: [], fileSystemType: () => 0 };
  const [taken, free] = await findingsOf(cacheCheck(undefined, places));
  t.is(taken.state, 'ok');
  t.regex(taken.text, new RegExp(`^${good}/cvmfs-\\d+ \\(cannot be used: /nonexistent: ENOENT\\)$`));
  t.regex(free.text, /^\d.* of \d.* [GM]B$/);
  const [configured] = await findingsOf(cacheCheck(other, places));
  t.is(configured.text, `${other} (as configured)`);
  const [nowhere] = await findingsOf(cacheCheck(undefined, { ...places, shared: ['/nonexistent'] }));
  t.like(nowhere, { state: 'problem' });
});

test('names and passwords of proxies are not in the report', (t) => {
  t.is(withoutPasswords('http://me:secret@p:1|q:2;DIRECT'), 'http://p:1|q:2;DIRECT');
  t.is(withoutPasswords('me:secret@p:1;you:other@q'), 'p:1;q');
  t.is(withoutPasswords('auto;DIRECT'), 'auto;DIRECT');
});

test('the report: a mark, subject and text; advice below; a last line that counts', (t) => {
  const section = {
    title: 'x.org',
    findings: [
      { subject: 'clock', state: 'ok', text: 'fine' },
      { subject: 'server', state: 'problem', text: 'gone', advice: 'do this' },
      { subject: 'space', state: 'warning', text: 'little' },
    ],
  } as const;
  t.is(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    sectionText(section).replace(/\x1b\[\d+m/g, ''),
    'x.org\n  ✔ clock            fine\n  ✘ server           gone\n                     → do this\n  ! space            little\n\n',
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  const last = (...sections: Parameters<typeof summary>[0]) => summary(sections).replace(/\x1b\[\d+m/g, '');
  t.is(last(section), '1 problem, 1 warning');
  t.is(last({ title: '', findings: [section.findings[2]] }), '1 warning; jobs work');
  t.is(last({ title: '', findings: [section.findings[0]] }), 'Everything is as it should be.');
});
