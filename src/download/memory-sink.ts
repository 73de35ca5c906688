// Takes a small body into memory.
import { CorruptTransfer, type TransferControl, type TransferSink } from '../objects/transfer.ts';

export class MemorySink implements TransferSink {
  #limit: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #control: TransferControl | undefined;
  #failure: Error | undefined;

  /** `limit`: bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  begin(control: TransferControl): void {
    this.abort();
    if (this.#failure) throw this.#failure;
    this.#control = control;
    if ((control.length ?? 0) > this.#limit) throw new CorruptTransfer(`larger than ${this.#limit} bytes`);
  }

  write(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limit) throw new CorruptTransfer(`larger than ${this.#limit} bytes`);
    this.#parts.push(Buffer.from(bytes));
    return true;
  }

  end(): void {
    this.#control = undefined;
  }

  /** Ends a transfer in progress, and any that begins later. */
  fail(error: Error): void {
    this.#failure = error;
    this.#control?.fail(error);
  }

  abort(): void {
    this.#control = undefined;
    this.#parts = [];
    this.#bytes = 0;
  }

  take(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
