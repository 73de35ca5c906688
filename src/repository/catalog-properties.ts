// The table `properties` of a catalog: key and value, both text.
import { ContentHash } from '../objects/hash.ts';
import type { Database } from '../sqlite/database.ts';
import { Row } from '../sqlite/row.ts';
import { RepositoryError } from './errors.ts';

/** Seconds a root catalog stays valid when it does not say. */
const DEFAULT_TTL = 240;

export interface CatalogProperties {
  /** 0 to 7; what is above counts as 7. */
  readonly schemaRevision: number;
  /** Of a root catalog: that of the repository. Of a nested catalog: how often it was rewritten. */
  readonly revision: number;
  /** Seconds since 1970. */
  readonly lastModified: number;
  /** Path the catalog was made for, '' for a root catalog. Latin-1. */
  readonly rootPrefix: string;
  readonly previousRevision?: ContentHash;
  /** Seconds; root catalogs only. */
  readonly ttl: number;
  readonly volatile: boolean;
  /** Membership requirement. */
  readonly vomsAuthz?: string;
}

/**
 * Checks the schema and takes the properties that clients use (client.md §3.1, §3.2).
 * @throws RepositoryError BadSchema
 */
export function catalogProperties(values: ReadonlyMap<string, string>): CatalogProperties {
  const schema = Number.parseFloat(values.get('schema') ?? '1.0');
  if (!(isClose(schema, 2.4) || isClose(schema, 2.5))) {
    const found = values.get('schema') ?? '1.0';
    throw new RepositoryError('BadSchema', `the catalog has schema ${found}, only 2.4 and 2.5 are read`);
  }
  const previousRevision = ContentHash.parse(values.get('previous_revision') ?? '');
  return {
    schemaRevision: isClose(schema, 2.4) ? 0 : Math.min(number(values, 'schema_revision', 0), 7),
    revision: number(values, 'revision', 0),
    lastModified: number(values, 'last_modified', 0),
    rootPrefix: values.get('root_prefix') ?? '',
    previousRevision: previousRevision?.isNull ? undefined : previousRevision,
    ttl: number(values, 'TTL', DEFAULT_TTL),
    volatile: values.get('volatile') === '1',
    vomsAuthz: values.get('voms_authz'),
  };
}

/** The table as it is, in Latin-1; rows with NULL are left out. */
export function readProperties(database: Database): Map<string, string> {
  const table = database.table('properties');
  const key = table.column('key');
  const value = table.column('value');
  const values = new Map<string, string>();
  for (const row of table.scan(new Row())) {
    if (!row.isNull(key) && !row.isNull(value)) values.set(row.latin1(key), row.latin1(value));
  }
  return values;
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) < 0.001;
}

function number(values: ReadonlyMap<string, string>, key: string, missing: number): number {
  const digits = /^\s*(\d+)/.exec(values.get(key) ?? '')?.[1];
  return digits === undefined ? missing : Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
