/** Where a database file's bytes come from; a LocalObject of the object store is one. */
export interface PageSource {
  /** Bytes in the file. */
  readonly size: number;
  /** Like pread: copies up to `length` bytes from `position` into `target` at `offset`; returns the bytes copied. */
  read(target: Uint8Array, offset: number, length: number, position: number): number;
  close(): void;
}
