// A certificate's fingerprint as whitelists and blacklists write it: `AA:BB:…` in any case, followed by `-RMD160` or
// `-SHAKE128` where the hash is not SHA-1. A blank, a tab or `#` ends it; what follows is a comment.
import { ContentHash } from '../objects/hash.ts';

/** undefined when the line is no fingerprint (client.md §1.4). */
export function parseFingerprint(line: string): ContentHash | undefined {
  const text = line.replace(/[ \t#].*$/s, '').replaceAll(':', '');
  return ContentHash.parse(text.toLowerCase());
}

export function formatFingerprint(hash: ContentHash): string {
  const suffix = hash.toString().slice(hash.hex.length);
  return (hash.hex.match(/../g)!.join(':') + suffix).toUpperCase();
}
