// Who is the ordinary user in tests: whoever runs them, or somebody else where root does.
import { readFileSync } from 'node:fs';

export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export const isRoot = process.getuid?.() === 0;

/** Root takes $CVMFSEXEC_TEST_USER, or the first ordinary account, or nobody: a fresh machine may have no other. */
export const user: OrdinaryUser = ordinaryUser();

function ordinaryUser(): OrdinaryUser {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7)
    .map(([name, , uid, gid, , home]) => ({ name, uid: Number(uid), gid: Number(gid), home }));
  const wanted = process.env.CVMFSEXEC_TEST_USER;
  const found = isRoot
    ? accounts.find(({ name, uid }) => (wanted ? name === wanted : uid >= 1000 && uid < 60_000))
    : accounts.find(({ uid }) => uid === process.getuid?.());
  if (wanted && isRoot && !found) throw new Error(`no account ${wanted} in /etc/passwd: check CVMFSEXEC_TEST_USER`);
  if (found) return found;
  const uid = isRoot ? 65_534 : process.getuid!();
  const gid = isRoot ? 65_534 : process.getgid!();
  return { name: isRoot ? 'nobody' : String(uid), uid, gid, home: '/' };
}
