// `--status-fd`: what the server knows of the job, one line of JSON each (docs/status-events.md). The exit is told by the monitor.
import { writeSync } from 'node:fs';

export type StatusEvent =
  | { readonly event: 'namespaces' }
  | {
      readonly event: 'mounted';
      readonly repository: string;
      readonly revision: number;
      readonly root_hash: string;
      readonly mountpoint: string;
    }
  | { readonly event: 'unmounted'; readonly repository: string }
  | { readonly event: 'started'; readonly pid?: number }
  | { readonly event: 'error'; readonly reason: string };

export type TellStatus = (event: StatusEvent) => void;

export interface StatusPlace {
  readonly fd: number;
  /** Of what becomes the command, as the caller sees it; undefined: unknown. */
  readonly commandPid: number | undefined;
}

/** Never throws: nobody has to read. */
export function statusWriter({ fd }: StatusPlace): TellStatus {
  return ({ event, ...facts }) => {
    const time = Date.now() / 1000;
    try {
      writeSync(fd, `${JSON.stringify({ event, time, ...facts })}\n`);
    } catch {
      // nobody reads it
    }
  };
}
