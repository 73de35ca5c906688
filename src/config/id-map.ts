// Maps of user or group ids (client.md §3.12). One rule a line, the first word the id in the repository or `*` for all that
// have no rule, the second the id to show:
//
//   # comment
//   0 1000
//   * 65534
import { ConfigError } from './error.ts';

export interface IdMap {
  readonly ids: ReadonlyMap<number, number>;
  /** For ids without a rule; undefined: they stay. */
  readonly others: number | undefined;
}

const RULE = /^(\d{1,10}|\*) +(\d{1,10})$/;
const MAX_ID = 2 ** 32 - 1;

/** @param file for messages. @throws ConfigError BAD_MAP */
export function parseIdMap(text: string, file: string): IdMap {
  const ids = new Map<number, number>();
  let others: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const rule = line.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
    if (rule === '' || rule.startsWith('#')) continue;
    const [, from, to] = RULE.exec(rule) ?? [];
    if (from === undefined || Number(to) > MAX_ID || (from !== '*' && Number(from) > MAX_ID)) {
      throw new ConfigError(
        'BAD_MAP',
        `${file}:${index + 1}: expected two ids with a blank between them, or * and an id`,
      );
    }
    if (from === '*') others = Number(to);
    else ids.set(Number(from), Number(to));
  }
  return { ids, others };
}

export function mapId({ ids, others }: IdMap, id: number): number {
  return ids.get(id) ?? others ?? id;
}
