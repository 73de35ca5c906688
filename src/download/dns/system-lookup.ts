// The system's own way from a name to addresses (getaddrinfo), for what only it knows: NIS, LDAP, mDNS. It cannot be
// interrupted and holds one of the few threads of this process, so there is never more than one.
import type { AddressList } from './addresses.ts';

let busy = false;

/** Undefined when it finds nothing, takes longer than `milliseconds`, or another one is still under way. */
export function systemLookup(name: string, milliseconds: number): Promise<AddressList | undefined> {
  if (busy) return Promise.resolve(undefined);
  busy = true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), milliseconds);
    process.getBuiltinModule('node:dns').lookup(name, { all: true }, (error, found) => {
      busy = false;
      clearTimeout(timer);
      if (error) {
        resolve(undefined);
        return;
      }
      const of = (family: number) => found.filter((one) => one.family === family).map((one) => one.address);
      resolve({ v4: of(4), v6: of(6) });
    });
  });
}
