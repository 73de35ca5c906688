// cache …, cleanup …, evict, pin.
import { type TalkCommand, wholeNumber } from '../command.ts';
import type { TalkTarget } from '../talk-target.ts';

const MEGABYTE = 1024 * 1024;
const MINIMUM_LIMIT = 1000;
const NO_LIST = 'Cache cannot list its entries';

async function list(target: TalkTarget, kind: 'all' | 'pinned' | 'catalogs'): Promise<string> {
  const lines = await target.cache.list?.(kind);
  return lines === undefined ? NO_LIST : lines.map((line) => `${line}\n`).join('');
}

export const CACHE_COMMANDS: readonly TalkCommand[] = [
  { words: 'cache instance', run: ({ cache }) => cache.describe() },
  {
    words: 'cache size',
    async run({ cache }) {
      const size = await cache.size?.();
      if (size === undefined) return 'Cache cannot report its size';
      const text = (bytes: number) => `${Math.floor(bytes / MEGABYTE)}MB (${bytes} Bytes)`;
      return `Current cache size is ${text(size.used)}, pinned: ${text(size.pinned)}`;
    },
  },
  { words: 'cache list', run: (target) => list(target, 'all') },
  { words: 'cache list pinned', run: (target) => list(target, 'pinned') },
  { words: 'cache list catalogs', run: (target) => list(target, 'catalogs') },
  { words: 'cache limit get', run: ({ cache }) => String(cache.limit?.() ?? -1) },
  {
    words: 'cache limit set',
    argument: '<limit in MB>',
    async run({ cache }, argument) {
      const megabytes = wholeNumber(argument) ?? 0;
      if (megabytes < MINIMUM_LIMIT) return `New limit too low (minimum ${MINIMUM_LIMIT})`;
      return (await cache.setLimit?.(megabytes)) ? 'OK' : 'Limit not reset';
    },
  },
  {
    words: 'cleanup',
    argument: '<MB>',
    async run({ cache }, argument) {
      const megabytes = wholeNumber(argument);
      if (megabytes === undefined) return 'Usage: cleanup <MB>';
      const done = await cache.cleanup?.(megabytes * MEGABYTE);
      if (done === undefined) return 'Cache cannot trigger eviction';
      return done ? 'OK' : 'Not fully cleaned (there might be pinned chunks)';
    },
  },
  {
    words: 'cleanup rate',
    argument: '<period in minutes>',
    async run({ cache }, argument) {
      const minutes = wholeNumber(argument);
      if (minutes === undefined) return 'Usage: cleanup rate <period in minutes>';
      const rate = await cache.cleanupRate?.(minutes);
      return rate === undefined ? 'Unsupported by this cache' : String(rate);
    },
  },
  {
    words: 'evict',
    argument: '<path>',
    run: async ({ cache }, path) => ((await cache.evict(path)) ? 'OK' : 'No such regular file'),
  },
  {
    words: 'pin',
    argument: '<path>',
    run: async ({ cache }, path) => ((await cache.pin(path)) ? 'OK' : 'No such regular file or pinning failed'),
  },
];
