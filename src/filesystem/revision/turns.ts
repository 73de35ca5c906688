/** Rows looked at before requests get their turn: some milliseconds. */
export const SLICE = 1000;

/** Requests are answered before it resolves. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
