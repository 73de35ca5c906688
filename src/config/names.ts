// What can be the name of a repository (client.md §8.1).

const VALID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/;

/** Names become path components and parts of URLs. */
export function isRepositoryName(name: string): boolean {
  return VALID.test(name);
}
