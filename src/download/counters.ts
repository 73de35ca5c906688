// What a downloader counts, for statistics of the mount (client.md §5.11 `user.rx`, `user.speed`, §9.4).

export interface DownloadCounters {
  /** Of bodies that arrived, also of attempts that failed later. */
  bytes: number;
  /** Requests that were answered in the end. */
  transfers: number;
  /** Requests that failed everywhere. */
  failures: number;
  /** Attempts at the same URL again. */
  retries: number;
  proxySwitches: number;
  hostSwitches: number;
  /** From the beginning of each request to its end, added up. */
  milliseconds: number;
}

export function newCounters(): DownloadCounters {
  return { bytes: 0, transfers: 0, failures: 0, retries: 0, proxySwitches: 0, hostSwitches: 0, milliseconds: 0 };
}
