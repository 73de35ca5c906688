// A line of the fixtures' lists of tags.
import { ContentHash } from '../../src/objects/hash.ts';
import type { Tag } from '../../src/repository/history.ts';

export function parseTagLine(line: string): Tag {
  const [name = '', hash = '', size, revision, timestamp, branch, ...description] = line.split(' ');
  return {
    name,
    hash: ContentHash.parse(hash)!,
    size: Number(size),
    revision: Number(revision),
    timestamp: Number(timestamp),
    branch: branch === '(default)' ? '' : (branch ?? ''),
    description: description.join(' ').trim(),
  };
}
