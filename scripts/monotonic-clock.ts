// In the bundles in place of the global `performance`: the first use of that loads eleven modules, which takes a millisecond.

const [seconds, nanoseconds] = process.hrtime();
const origin = seconds * 1e3 + nanoseconds / 1e6 - process.uptime() * 1e3;

/** Milliseconds since the process was started, as of performance.now(). */
export function monotonicNow(): number {
  const [s, n] = process.hrtime();
  return s * 1e3 + n / 1e6 - origin;
}
