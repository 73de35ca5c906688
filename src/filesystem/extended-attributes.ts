// Extended attributes: those published with an entry, and the "magic" ones that the client makes up (client.md §5.11).
// A magic attribute hides a published one of the same name.
import { type Caller, Errno, ROOT_NODE } from '../fuse/operations.ts';
import { ENODATA } from './errno.ts';
import { type AttributeRules, mayRead } from './xattrs/access-rules.ts';
import { MAGIC, type Subject } from './xattrs/magic.ts';
import { parsePageRequest, renderPage } from './xattrs/pages.ts';

/** Throws Errno(ENODATA) where there is no such attribute, or none for this caller; Pending where its value has to be fetched. */
export function attributeValue(subject: Subject, name: string, caller: Caller, rules: AttributeRules): Uint8Array {
  const { attached, entry } = subject;
  const published = attached.catalog.xattrs(entry.rowid);
  // A published name may itself hold what separates a page number.
  if (!MAGIC.has(name) && published.has(name) && mayRead(rules, name, caller.gid)) return published.get(name)!;
  const request = parsePageRequest(name);
  if (!request || !mayRead(rules, request.attribute, caller.gid)) throw new Errno(ENODATA);
  const magic = MAGIC.get(request.attribute);
  if (!magic) {
    const value = published.get(request.attribute);
    if (!value) throw new Errno(ENODATA);
    return value;
  }
  if (!magic.applies(subject)) throw new Errno(ENODATA);
  const value = magic.value(subject);
  const text = renderPage(typeof value === 'string' ? [value] : value, request);
  if (text === undefined) throw new Errno(ENODATA);
  return Buffer.from(text, 'latin1');
}

/** In ascending order. */
export function attributeNames(subject: Subject, { visibility }: AttributeRules): string[] {
  const { attached, entry, node } = subject;
  const names = new Set(attached.catalog.xattrs(entry.rowid).keys());
  if (visibility === 'always' || (visibility === 'rootonly' && node === ROOT_NODE)) {
    for (const [name, magic] of MAGIC) if (magic.applies(subject)) names.add(name);
  }
  return [...names].sort();
}
