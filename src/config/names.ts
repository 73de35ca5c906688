// What can be the name of a repository (client.md §8.1).

const VALID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/;

/** Names become path components and parts of URLs. */
export function isRepositoryName(name: string): boolean {
  return VALID.test(name);
}

const FULL = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,}$/;

/** Whether it looks like a whole name, with a domain: what programs look for everywhere, such as `.git` or `lib`, does not. */
export function isFullName(name: string): boolean {
  return isRepositoryName(name) && FULL.test(name);
}
