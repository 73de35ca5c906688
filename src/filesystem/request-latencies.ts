// How long the kernel's requests took, from their arrival to their answer, whatever had to be waited for (CVMFS_INSTRUMENT_FUSE).
import { opcodeName } from '../fuse/opcodes.ts';

/** Classes for each doubling of the time: what they tell is right to within five per cent. */
const STEPS = 8;
/** Up to 2 to the 50th nanoseconds, thirteen days. */
const CLASSES = 50 * STEPS;

export interface Latency {
  /** The request as FUSE names it, in lower case. */
  readonly action: string;
  readonly count: number;
  /** Nanoseconds that this part of the requests, above 0 and below 1, did not exceed. */
  quantile(part: number): number;
}

export class RequestLatencies {
  readonly #byOpcode = new Map<number, Float64Array>();

  note(opcode: number, milliseconds: number): void {
    const classes = this.#byOpcode.get(opcode) ?? new Float64Array(CLASSES);
    this.#byOpcode.set(opcode, classes);
    const found = Math.floor(Math.log2(Math.max(1, milliseconds * 1e6)) * STEPS);
    classes[Math.min(found, CLASSES - 1)]++;
  }

  /** In the order of their names; of what was asked for at least once. */
  all(): Latency[] {
    const all = [...this.#byOpcode].map(([opcode, classes]) => {
      const count = classes.reduce((sum, some) => sum + some, 0);
      return {
        action: opcodeName(opcode).toLowerCase(),
        count,
        quantile: (part: number) => quantile(classes, part * count),
      };
    });
    return all.sort((a, b) => (a.action < b.action ? -1 : 1));
  }
}

/** The middle of the class in which the request with this number is, counted from the fastest. */
function quantile(classes: Float64Array, number: number): number {
  let before = 0;
  const found = classes.findIndex((some) => {
    before += some;
    return before >= number && some > 0;
  });
  return Math.round(2 ** ((found + 0.5) / STEPS));
}
