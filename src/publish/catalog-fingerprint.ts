// Whether two catalogs say the same, whatever their revision: the digest of all their rows in the order of their keys.
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

// Bytes go through hex, since texts need not be UTF-8; NULL nanoseconds mean 0.
const QUERIES = [
  `SELECT md5path_1 || ',' || md5path_2 || ',' || parent_1 || ',' || parent_2 || ',' || hardlinks || ','
     || ifnull(hex(hash), '') || ',' || size || ',' || mode || ',' || mtime || ',' || ifnull(mtimens, 0) || ',' || flags || ','
     || hex(name) || ',' || ifnull(hex(symlink), '-') || ',' || uid || ',' || gid || ',' || ifnull(hex(xattr), '-') AS line
   FROM catalog ORDER BY md5path_1, md5path_2`,
  `SELECT md5path_1 || ',' || md5path_2 || ',' || offset || ',' || size || ',' || hex(hash) AS line
   FROM chunks ORDER BY md5path_1, md5path_2, offset`,
  `SELECT hex(path) || ',' || sha1 || ',' || size AS line FROM nested_catalogs ORDER BY path`,
  `SELECT hex(path) || ',' || sha1 || ',' || size AS line FROM bind_mountpoints ORDER BY path`,
  `SELECT counter || ',' || value AS line FROM statistics ORDER BY counter`,
  `SELECT key || ',' || hex(value) AS line FROM properties
   WHERE key IN ('schema', 'schema_revision', 'root_prefix', 'TTL', 'volatile') ORDER BY key`,
];

export function catalogFingerprint(database: DatabaseSync): string {
  const hash = createHash('sha256');
  for (const query of QUERIES) {
    // NULL where a catalog lacks a value that ours always have: then it differs.
    for (const { line } of database.prepare(query).iterate()) hash.update(`${line}\n`);
    hash.update('\n');
  }
  return hash.digest('hex');
}

export function fingerprintOfFile(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return catalogFingerprint(database);
  } finally {
    database.close();
  }
}
