// Who runs the benchmarks: an ordinary user, since that is whom the launcher is for.
import { readFileSync } from 'node:fs';

export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Whether processes must be started under other ids than the benchmark's own. */
  readonly change: boolean;
}

/** Root takes `name`, or whoever called sudo, or the first ordinary account, or nobody; others are themselves. */
export function ordinaryUser(name = process.env.SUDO_USER): OrdinaryUser {
  const uid = process.getuid!();
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7)
    .map((fields) => ({ name: fields[0], uid: Number(fields[2]), gid: Number(fields[3]) }));
  if (uid !== 0) {
    const self = accounts.find((account) => account.uid === uid);
    return { name: self?.name ?? String(uid), uid, gid: process.getgid!(), change: false };
  }
  const named = accounts.find((account) => account.name === name);
  if (name !== undefined && !named) throw new Error(`no account ${name} in /etc/passwd`);
  const ordinary = accounts.find((account) => account.uid >= 1000 && account.uid < 60_000);
  const user = named ?? ordinary ?? { name: 'nobody', uid: 65_534, gid: 65_534 };
  return { ...user, change: true };
}
