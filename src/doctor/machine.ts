// The programs and limits of this machine.
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Check, Finding } from './finding.ts';
import { kernel, mounting, namespaces, processes } from './namespaces.ts';
import { programAt, tryRun } from './try-run.ts';

const node: Check = {
  subject: 'node',
  run: async () => ({
    subject: 'node',
    state: 'ok',
    text: `${process.version} (${isAbsolute(process.argv0) ? process.argv0 : process.execPath})`,
  }),
};

const device: Check = {
  subject: '/dev/fuse',
  async run(): Promise<Finding> {
    const subject = '/dev/fuse';
    try {
      if (!statSync(subject).isCharacterDevice()) throw Object.assign(new Error(), { code: 'no device' });
      accessSync(subject, constants.R_OK | constants.W_OK);
      return { subject, state: 'ok', text: 'readable and writable' };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const missing = code === 'ENOENT';
      const advice = missing
        ? 'load the kernel module fuse (modprobe fuse); in a container: --device /dev/fuse'
        : 'it must be readable and writable for everybody (mode 0666, the default of udev)';
      return { subject, state: 'problem', text: missing ? 'is not there' : `cannot be used (${code})`, advice };
    }
  },
};

const utilLinux: Check = {
  subject: 'util-linux',
  async run(): Promise<Finding> {
    const subject = 'util-linux';
    for (const program of ['unshare', 'mount']) {
      if (await programAt(program)) continue;
      return { subject, state: 'problem', text: `no program '${program}'`, advice: 'install util-linux' };
    }
    const attempts: readonly (readonly [program: string, args: readonly string[], lost: string])[] = [
      ['unshare', ['--map-user=0', '--map-group=0', '--version'], 'unshare --map-user (2.36)'],
      ['unshare', ['--propagation', 'slave', '--version'], 'unshare --propagation (2.26)'],
      ['setpriv', ['--pdeathsig', 'keep', 'true'], 'setpriv --pdeathsig (2.33)'],
      ['env', ['--default-signal=INT', 'true'], 'env --default-signal (coreutils 8.31)'],
    ];
    const outcomes = await Promise.all(attempts.map(([program, args]) => tryRun(program, args)));
    const lacking = attempts.filter((_, i) => !outcomes[i].succeeded).map(([, , lost]) => lost);
    const version = (await tryRun('unshare', ['--version'])).stdout.trim().replace(/^.* /, '');
    if (lacking.length === 0) return { subject, state: 'ok', text: `${version}, with all that is used` };
    return { subject, state: 'ok', text: `${version}; done otherwise, as there is no ${lacking.join(', ')}` };
  },
};

/** Programs that mounts do not need, but containers on them do. */
const OPTIONAL = ['newuidmap', 'fuse-overlayfs', 'fusermount3', 'fusermount'];

const optional: Check = {
  subject: 'for containers',
  async run(): Promise<Finding> {
    const found = await Promise.all(OPTIONAL.map(programAt));
    const there = OPTIONAL.filter((_, i) => found[i]);
    const missing = OPTIONAL.filter(
      (name, i) => !found[i] && !(name === 'fusermount' && there.includes('fusermount3')),
    );
    const text = `${there.join(', ') || 'none'}${missing.length > 0 ? ` (not there, and not needed by mounts: ${missing.join(', ')})` : ''}`;
    return { subject: 'for containers', state: 'ok', text };
  },
};

/** Bytes that Node reserves. */
const ADDRESS_SPACE = 2_000_000 * 1024;
const OPEN_FILES = 512;

const limits: Check = {
  subject: 'limits',
  async run(): Promise<Finding> {
    const subject = 'limits';
    const [space, files] = [limit('Max address space'), limit('Max open files')];
    if (space < ADDRESS_SPACE) {
      const text = `address space is limited to ${Math.floor(space / 1024)} kB`;
      return { subject, state: 'problem', text, advice: 'the server needs 2 GB: raise or lift `ulimit -v`' };
    }
    const opened = `${files === Number.POSITIVE_INFINITY ? 'any number of' : files} open files`;
    if (files < OPEN_FILES) {
      return { subject, state: 'warning', text: opened, advice: `raise \`ulimit -n\` to ${OPEN_FILES} or more` };
    }
    return {
      subject,
      state: 'ok',
      text: `${opened}, address space ${space === Number.POSITIVE_INFINITY ? 'not limited' : `${Math.floor(space / 2 ** 30)} GB`}`,
    };
  },
};

/** The soft limit. */
function limit(name: string): number {
  const line = readFileSync('/proc/self/limits', 'latin1')
    .split('\n')
    .find((text) => text.startsWith(name));
  const value = line?.slice(name.length).trim().split(/\s+/)[0] ?? 'unlimited';
  return value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
}

export const MACHINE: readonly Check[] = [
  node,
  kernel,
  device,
  namespaces,
  mounting,
  processes,
  utilLinux,
  optional,
  limits,
];
