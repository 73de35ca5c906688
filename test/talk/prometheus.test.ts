// `metrics prometheus` in the text format, as its rules are: https://prometheus.io/docs/instrumenting/exposition_formats/
import test from 'ava';
import { answerTo } from '../../src/talk/commands.ts';
import type { TalkTarget } from '../../src/talk/talk-target.ts';
import { MADE_FACTS } from '../filesystem/made-file-system.ts';
import { madeTarget } from './made-target.ts';

const SAMPLE = /^(\w+)\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;

/** By name and labels. Throws where a line breaks the format. */
async function samples(target: TalkTarget): Promise<Map<string, number>> {
  const text = await answerTo(target, 'metrics prometheus');
  const found = new Map<string, number>();
  const families = new Set<string>();
  let family = '';
  let type = '';
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is in two places`);
      families.add(name);
      [family, type] = [name, ''];
    } else if (kind === 'TYPE') {
      if (name !== family) throw new Error(`no HELP before ${line}`);
      type = rest;
    } else {
      const [, sample, labels, value] = SAMPLE.exec(line) ?? [];
      if (sample === undefined || sample !== family) throw new Error(`not a sample of ${family}: ${line}`);
      if ((type === 'counter') !== sample.endsWith('_total')) throw new Error(`${sample} is no ${type}`);
      if (found.has(`${sample} ${labels}`)) throw new Error(`twice: ${line}`);
      found.set(`${sample} ${labels}`, Number(value));
    }
  }
  return found;
}

test('what is known of a mount, under the names of the reference', async (t) => {
  const target = madeTarget([], {
    mountpoint: '/cv"mfs\\x',
    cache: {
      describe: () => '',
      size: () => ({ used: 5000, pinned: 30 }),
      volume: async () => ({ size: 9000, available: 800 }),
      cleanupRate: async (minutes) => minutes,
      evict: async () => false,
      pin: async () => false,
    },
    facts: { ...MADE_FACTS, cache: () => ({ requests: 8, misses: 2, capacity: 7000 }) },
  });
  const found = await samples(target);
  const repo = 'repo="made.example.org"';
  const expected: Record<string, number> = {
    cvmfs_cache_cached_bytes: 5000,
    cvmfs_cache_pinned_bytes: 30,
    cvmfs_cache_total_size_bytes: 7000,
    cvmfs_cache_physical_size_bytes: 9000,
    cvmfs_cache_physical_avail_bytes: 800,
    cvmfs_cache_hit_ratio: 0.75,
    cvmfs_cache_ncleanup24: 1440,
    cvmfs_net_timeout_seconds: 5,
    cvmfs_repo_expires_seconds: -1,
    cvmfs_repo_version: 21_200,
    cvmfs_repo_revision: 7,
    cvmfs_repo_nclg: 4,
    cvmfs_sys_nioerr_total: 1,
    cvmfs_sys_last_ioerr_timestamp_seconds: 1_700_000_000,
    cvmfs_sys_usedfd: 5,
    cvmfs_sys_inode_max: 300,
  };
  for (const [name, value] of Object.entries(expected)) t.is(found.get(`${name} ${repo}`), value, name);
  t.is(found.get(`cvmfs_net_proxy ${repo},group="1",url="http://three:3128"`), 1);
  t.is(found.get(`cvmfs_repo ${repo},mountpoint="/cv\\"mfs\\\\x",version="2.12.0",revision="7"`), 1);
  t.true(found.get(`cvmfs_sys_memory_usage_bytes ${repo}`)! > 1_000_000);
});

test('what is not known is left out', async (t) => {
  const found = await samples(madeTarget([], { facts: { ...MADE_FACTS, cache: () => ({ requests: 0, misses: 0 }) } }));
  t.deepEqual(
    [...found.keys()].filter((name) => name.startsWith('cvmfs_cache')),
    [],
  );
  t.true(found.size > 15);
});
