// The table in Markdown.
import type { Contestant } from './contestants/contestant.ts';
import type { Figure, Row, State } from './rows/row.ts';
import { median } from './statistics.ts';

const STATES: readonly State[] = ['cold', 'hot'];

/** All figures of a run, by row, contestant and state. */
export class Figures {
  readonly #figures = new Map<string, Figure[]>();

  add(row: Row, contestant: Contestant, state: State, figure: Figure): void {
    const key = Figures.#key(row, contestant, state);
    this.#figures.set(key, [...(this.#figures.get(key) ?? []), figure]);
  }

  of(row: Row, contestant: Contestant, state: State): readonly number[] {
    return this.#all(row, contestant, state).map(({ value }) => value);
  }

  /** Processor seconds of the commands alone, where they were measured. */
  commandSeconds(row: Row, contestant: Contestant, state: State): readonly number[] {
    return this.#all(row, contestant, state).flatMap(({ commandSeconds }) => commandSeconds ?? []);
  }

  #all(row: Row, contestant: Contestant, state: State): readonly Figure[] {
    return this.#figures.get(Figures.#key(row, contestant, state)) ?? [];
  }

  static #key(row: Row, contestant: Contestant, state: State): string {
    return `${row.id} ${contestant.name} ${state}`;
  }
}

/** `contestants`: the disk first, then this package's, then others. Every cell is `cold / hot`. */
export function table(rows: readonly Row[], contestants: readonly Contestant[], figures: Figures): string {
  const [disk, own] = contestants;
  const header = [
    'work',
    ...contestants.map(({ name }) => name),
    'to disk',
    'command alone',
    'limit',
    'within',
    'reference 2.12',
  ];
  const body = rows.map((row) => {
    const cells = (contestant: Contestant) => pair((state) => summary(figures.of(row, contestant, state), row));
    const within = STATES.filter((state) => figures.of(row, own, state).length > 0).map((state) =>
      median(figures.of(row, own, state)) <= row.limit[state]! ? 'yes' : '**no**',
    );
    return [
      row.title,
      ...contestants.map(cells),
      pair((state) => ratio(figures.of(row, own, state), figures.of(row, disk, state))),
      pair((state) => summary(figures.commandSeconds(row, own, state), row)),
      pair((state) => known(row.limit[state], row)),
      within.join(' / '),
      pair((state) => known(row.reference[state], row)),
    ];
  });
  return [header, header.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Cold and hot; one alone where the other does not exist. */
function pair(cell: (state: State) => string): string {
  const [cold, hot] = STATES.map(cell);
  if (cold === '' && hot === '') return '';
  return cold === '' ? hot : `${cold} / ${hot || '–'}`;
}

function summary(figures: readonly number[], row: Row): string {
  if (figures.length === 0) return '';
  const middle = known(median(figures), row);
  return figures.length === 1 ? middle : `${middle} (${known(Math.min(...figures), row, false)})`;
}

function known(figure: number | undefined, { unit }: Row, withUnit = true): string {
  if (figure === undefined) return '';
  const digits = unit !== 's' ? 0 : figure < 1 ? 3 : 2;
  const name = withUnit && unit !== 'requests' ? ` ${unit}` : '';
  return `${Number(figure.toFixed(digits))}${name}`;
}

function ratio(own: readonly number[], disk: readonly number[]): string {
  return own.length && disk.length ? `${(median(own) / median(disk)).toFixed(1)}×` : '';
}
