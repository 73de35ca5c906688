import type { IndexDefinition } from './create-index.ts';

/** An index of the schema. */
export interface SchemaIndex extends IndexDefinition {
  readonly root: number;
}

/** The first index that finds all rows by these columns, all ascending. Names in lower case. */
export function usableIndex(indexes: readonly SchemaIndex[], columns: readonly string[]): SchemaIndex | undefined {
  return indexes.find(
    (index) =>
      !index.partial &&
      columns.every((name, i) => index.columns[i]?.name === name.toLowerCase() && !index.columns[i].descending),
  );
}
