// User namespaces, mounts in them, and the kernel's FUSE: each by trying what a launch does.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { InitFlag } from '../fuse/init.ts';
import type { Check, Finding } from './finding.ts';
import { tryRun } from './try-run.ts';

const isRoot = process.getuid?.() === 0;
/** Root needs no user namespace. */
const SPACES = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
const ASK = 'ask the administrator';

/**
 * Mounts a tmpfs, and on a directory in it a FUSE descriptor; prints the kernel's first request as words. Reading fails
 * until mount(8), which may wait for an answer that never comes, has done it.
 */
const MOUNT = `
mount -n -t tmpfs tmpfs /proc/fs || exit 3
mkdir /proc/fs/m || exit 3
exec 3<>/dev/fuse || exit 4
mount -n -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 doctor /proc/fs/m &
count=0 words=
while [ ! "$words" ] && [ $count -lt 100 ]; do
  count=$((count + 1))
  words=$(dd bs=135168 count=1 <&3 2>/dev/null | od -An -v -tx4)
  [ "$words" ] || sleep 0.02
done
kill -9 $! 2>/dev/null
echo $words
[ "$words" ]`;

export const namespaces: Check = {
  subject: 'user namespaces',
  async run(): Promise<Finding> {
    const subject = 'user namespaces';
    if (isRoot) return { subject, state: 'ok', text: 'not needed by root' };
    const { succeeded, complaint } = await tryRun('unshare', ['--user', '--map-root-user', 'true']);
    if (succeeded) return { subject, state: 'ok', text: 'can be made' };
    return { subject, state: 'problem', text: `cannot be made (${complaint})`, advice: whyNoNamespace(complaint) };
  },
};

function whyNoNamespace(complaint: string): string {
  if (complaint === 'not installed') return 'install util-linux (the program unshare)';
  if (setting('user/max_user_namespaces') === '0') return `${ASK} to set the sysctl user.max_user_namespaces to 65536`;
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    return `${ASK} to set the sysctl kernel.unprivileged_userns_clone to 1`;
  }
  if (isRestricted()) return appArmor();
  return `in a container it must be allowed from outside (seccomp, --security-opt); on a host ${ASK}`;
}

export const mounting: Check = {
  subject: 'mounting',
  async run(): Promise<Finding | Finding[]> {
    const subject = 'mounting';
    const { stdout, complaint } = await tryRun('unshare', [...SPACES, '/bin/sh', '-c', MOUNT]);
    const words = stdout
      .trim()
      .split(/\s+/)
      .map((word) => Number.parseInt(word, 16));
    const INIT = 26;
    if (words.length > 13 && words[1] === INIT) {
      const version = `${words[10]}.${words[11]}`;
      return [
        { subject, state: 'ok', text: 'tmpfs and FUSE, in a namespace of its own' },
        features(version, words[13], words[14] ?? 0),
      ];
    }
    const powerless = (await tryRun('unshare', [...SPACES, 'true'])).succeeded;
    const text = powerless ? `namespaces are made, but without the right to mount (${complaint})` : complaint;
    if (powerless && isRestricted()) return { subject, state: 'problem', text, advice: appArmor() };
    return {
      subject,
      state: 'problem',
      text,
      advice: powerless ? `${ASK}: something takes the rights away` : 'see above',
    };
  },
};

/** Bits of what INIT offers, and what is lost without each. */
const WANTED: readonly (readonly [bit: number, of: 1 | 2, loss: string])[] = [
  [InitFlag.DO_READDIRPLUS, 1, 'lists of directories take a request for each name'],
  [InitFlag.NO_OPEN_SUPPORT, 1, 'each open of a file is a request'],
  [InitFlag.NO_OPENDIR_SUPPORT, 1, 'each open of a directory is a request'],
  [InitFlag.CACHE_SYMLINKS, 1, 'link targets are not kept'],
  [InitFlag.MAX_PAGES, 1, 'files are read 128 KiB at a time'],
  [1 << 7, 2, 'a killed server leaves requests unanswered'],
];

function features(version: string, flags: number, flags2: number): Finding {
  const losses = WANTED.filter(([bit, of]) => ((of === 1 ? flags : flags2) & bit) === 0).map(([, , loss]) => loss);
  const text = `protocol ${version}${losses.length > 0 ? `; this kernel is older: ${losses.join(', ')}` : ', with all that is used'}`;
  return { subject: 'kernel’s FUSE', state: 'ok', text };
}

export const processes: Check = {
  subject: 'pid namespace',
  async run(): Promise<Finding> {
    const subject = 'pid namespace';
    const { succeeded } = await tryRun('unshare', [...SPACES, '--pid', '--fork', '--mount-proc', 'true']);
    if (succeeded) return { subject, state: 'ok', text: 'can be made, with a /proc of its own' };
    if (!(await tryRun('unshare', [...SPACES, 'true'])).succeeded)
      return { subject, state: 'problem', text: 'no namespaces' };
    const covered = mountsBelowProc();
    const why =
      covered.length > 0
        ? `${covered.slice(0, 3).join(', ')} ${covered.length > 3 ? '… ' : ''}cover parts of /proc`
        : 'no /proc for it';
    const advice =
      'jobs run without one and clean up after themselves; in a container: --security-opt systempaths=unconfined';
    return { subject, state: 'warning', text: `cannot be used: ${why}`, advice };
  },
};

/** What is mounted over parts of /proc, as containers do. */
function mountsBelowProc(): string[] {
  try {
    const points = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '');
    return points.filter((point) => point.startsWith('/proc/') && !point.startsWith('/proc/sys/fs/'));
  } catch {
    return [];
  }
}

const OLDEST = [4, 18];

export const kernel: Check = {
  subject: 'kernel',
  async run(): Promise<Finding> {
    const subject = 'kernel';
    const text = release();
    const [major, minor] = text.split('.').map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { subject, state: 'ok', text };
    const advice = 'the mount below tells whether it works; 4.18 is the first that is known to';
    return { subject, state: 'warning', text: `${text} may not let users mount FUSE`, advice };
  },
};

function isRestricted(): boolean {
  return setting('kernel/apparmor_restrict_unprivileged_userns') === '1';
}

function appArmor(): string {
  return `AppArmor takes the rights from user namespaces: ${ASK} for a profile that allows 'userns' for unshare, or to set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0`;
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}
