// What a mount was asked, as far as it comes to us: the kernel opens files and directories by itself and keeps what it
// has seen, so these count files whose content was first read, and directories whose list was.
import type { RequestLatencies } from './request-latencies.ts';

export class RequestCounters {
  opens = 0;
  directoryOpens = 0;
  ioErrors = 0;
  /** Seconds since 1970. */
  lastIoError = 0;
  /** Descriptors of cached objects that are open now. */
  openFiles: () => number = () => 0;
  /** Undefined where that is not measured. */
  readonly latencies: RequestLatencies | undefined;

  constructor(latencies?: RequestLatencies) {
    this.latencies = latencies;
  }

  /** A request was answered with EIO. */
  noteIoError(): void {
    this.ioErrors++;
    this.lastIoError = Math.floor(Date.now() / 1000);
  }

  resetErrors(): void {
    this.ioErrors = 0;
    this.lastIoError = 0;
  }

  values() {
    const { opens, directoryOpens, ioErrors, lastIoError } = this;
    return { opens, directoryOpens, ioErrors, lastIoError, openFiles: this.openFiles(), openDirectories: 0 };
  }
}
