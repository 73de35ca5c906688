// `cvmfsexec doctor`: what is in the way of mounting, found out without root and by trying.

import { cacheCheck } from '../../doctor/cache.ts';
import { type Check, type Finding, findings, type Section } from '../../doctor/finding.ts';
import { MACHINE } from '../../doctor/machine.ts';
import { clockCheck, serversCheck, whitelistCheck } from '../../doctor/network.ts';
import { sectionText, summary } from '../../doctor/report.ts';
import type { RepositorySettings } from '../../filesystem/mounted-repository.ts';
import type { LaunchWords } from '../launch-words.ts';
import { repositorySettings } from '../settings/repository.ts';
import { type Trial, tryMount } from '../trial-mount.ts';
import { repositorySubcommand } from './repository-arguments.ts';

const TRIAL_LIMIT_MS = 100_000;
const SETTINGS_LIMIT_MS = 60_000;

export const main = repositorySubcommand({
  name: 'doctor',
  description:
    'Check by trying, without root, whether repositories can be mounted here; say what is wrong and what to do about it. ' +
    'Exit code 1: jobs will not work.',
  examples: [
    'doctor',
    'doctor atlas.cern.ch',
    'doctor -o CVMFS_HTTP_PROXY=http://proxy.site:3128 atlas.cern.ch',
    'doctor --json',
  ],
  repositories: 'optional',
  async run({ launch, json }) {
    const { repositories } = launch;
    // All at once; printed in this order.
    const pending = [
      section('This machine', MACHINE),
      ...(repositories.length === 0 ? [section('Cache', [cacheCheck()])] : []),
      ...repositories.map((name) => repositorySection(name, launch)),
    ];
    const sections: Section[] = [];
    for (const next of pending) {
      const done = await next;
      sections.push(done);
      if (!json) process.stdout.write(sectionText(done));
    }
    process.stdout.write(json ? `${JSON.stringify(sections, undefined, 2)}\n` : `${summary(sections)}\n`);
    const failed = sections.some((done) => done.findings.some(({ state }) => state === 'problem'));
    // What hangs must not keep the process.
    process.exit(failed ? 1 : 0);
  },
});

async function section(title: string, checks: readonly Check[]): Promise<Section> {
  return { title, findings: await findings(checks) };
}

async function repositorySection(name: string, launch: LaunchWords): Promise<Section> {
  const warnings: string[] = [];
  let settings: RepositorySettings | undefined;
  const configuration: Check = {
    subject: 'configuration',
    limit: SETTINGS_LIMIT_MS,
    async run() {
      settings = await repositorySettings(name, launch, (warning) => warnings.push(warning));
      return configurationFindings(settings, warnings);
    },
  };
  const first = await findings([configuration]);
  if (!settings) return { title: name, findings: first };
  const rest = await findings([
    cacheCheck(settings.cacheDirectory),
    ...(launch.offline ? [] : [serversCheck(settings), clockCheck(settings), whitelistCheck(settings)]),
    trialCheck(name, launch),
  ]);
  return { title: settings.fqrn, findings: [...first, ...rest] };
}

function configurationFindings(settings: RepositorySettings, warnings: readonly string[]): Finding[] {
  const { masterKeys, servers } = settings;
  const parts = [
    count(servers.servers.length, 'server'),
    count(masterKeys.length, 'master key'),
    `proxies ${withoutPasswords(servers.proxies ?? 'DIRECT')}`,
  ];
  return [
    { subject: 'configuration', state: 'ok', text: parts.join(', ') },
    ...warnings.map((text) => ({ subject: 'configuration', state: 'warning', text }) satisfies Finding),
  ];
}

/** The report is made to be shown to others. */
export function withoutPasswords(urls: string): string {
  return urls.replace(/(^|\/\/|[;|])[^/;|@]*@/g, '$1');
}

function trialCheck(name: string, launch: LaunchWords): Check {
  return { subject: 'trial mount', limit: TRIAL_LIMIT_MS, run: async () => trialFinding(await tryMount(name, launch)) };
}

function trialFinding({ mounted, milliseconds, entries, reason }: Trial): Finding {
  const subject = 'trial mount';
  if (mounted)
    return {
      subject,
      state: 'ok',
      text: `${milliseconds} ms for a whole job, ${count(entries ?? 0, 'entry', 'entries')} in the root directory`,
    };
  const text =
    (reason ?? '')
      .split('\n')
      .at(-1)
      ?.replace(/^cvmfsexec: /, '') ?? '';
  return { subject, state: 'problem', text };
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
