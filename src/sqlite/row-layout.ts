import type { ColumnDefinition, TableDefinition } from './create-table.ts';
import { type DefaultValue, defaultValue } from './default-value.ts';

/** What a row has to know of its table. */
export class RowLayout {
  /** Lower case, in declared order. */
  readonly columns: readonly string[];
  /** The column that is another name of the rowid, or -1. */
  readonly rowidColumn: number;
  readonly #definitions: readonly ColumnDefinition[];
  readonly #fallbacks: (DefaultValue | undefined)[] = [];

  constructor(definition: TableDefinition) {
    this.columns = definition.columns.map((column) => column.name);
    this.rowidColumn = definition.rowidColumn;
    this.#definitions = definition.columns;
  }

  /** Value of a column in rows that were written before the column was added. Throws UNSUPPORTED unless it is constant. */
  fallback(column: number): DefaultValue {
    this.#fallbacks[column] ??= defaultValue(this.#definitions[column]);
    return this.#fallbacks[column];
  }
}
