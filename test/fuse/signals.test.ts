import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { hasFatalSignal, isBeingKilled } from '../../src/fuse/fatal-signal.ts';

const mask = (...signals: number[]): string =>
  signals
    .reduce((sum, signal) => sum | (1n << BigInt(signal - 1)), 0n)
    .toString(16)
    .padStart(16, '0');

function status(masks: {
  pending?: number[];
  shared?: number[];
  blocked?: number[];
  ignored?: number[];
  caught?: number[];
}): string {
  const lines = Object.entries({
    SigPnd: masks.pending,
    ShdPnd: masks.shared,
    SigBlk: masks.blocked,
    SigIgn: masks.ignored,
    SigCgt: masks.caught,
  }).map(([field, signals]) => `${field}:\t${mask(...(signals ?? []))}`);
  return ['Name:\tcat', 'SigQ:\t0/95843', ...lines, 'CapInh:\t0000000000000000', ''].join('\n');
}

test('signals that end a process are told from those that do not', (t) => {
  t.false(hasFatalSignal(status({})));
  t.true(hasFatalSignal(status({ pending: [9] })));
  t.true(hasFatalSignal(status({ shared: [9], blocked: [9], caught: [9] })), 'KILL knows no mask');
  t.true(hasFatalSignal(status({ shared: [15] })));
  t.true(hasFatalSignal(status({ shared: [3] })));
  t.true(hasFatalSignal(status({ pending: [64] })), 'real-time');
  t.true(hasFatalSignal(status({ shared: [14, 17] })));
  t.false(hasFatalSignal(status({ shared: [15], caught: [15] })));
  t.false(hasFatalSignal(status({ shared: [15], ignored: [15] })));
  t.false(hasFatalSignal(status({ shared: [15], blocked: [15] })));
  t.false(hasFatalSignal(status({ shared: [17, 18, 19, 20, 21, 22, 23, 28] })), 'harmless by default, or a stop');
  t.false(hasFatalSignal(''));
});

test('a process that lives, is gone or unknown is not being killed', async (t) => {
  t.false(isBeingKilled(process.pid));
  t.false(isBeingKilled(0));
  const child = spawn('true');
  await once(child, 'exit');
  t.false(isBeingKilled(child.pid!));
});
