// The contract between what downloads (src/download) and what takes the bytes (src/cache).

/** Where the bytes of one transfer go. A transfer may take several attempts; each starts with `begin`. */
export interface TransferSink {
  /** A new attempt: forget everything that came before. May throw CorruptTransfer when the announced length is wrong. */
  begin(control: TransferControl): void;
  /** Takes bytes, which are valid during the call only. False: no more until `control.resume` is called. */
  write(bytes: Buffer): boolean;
  /** All bytes have come. Returns (or resolves) when the result is verified and usable; throws CorruptTransfer when it is wrong. */
  end(): void | Promise<void>;
  /** The attempt failed. Frees what it held; a new attempt may follow. */
  abort(): void;
}

export interface TransferControl {
  /** Bytes the server announced; undefined if it did not. */
  readonly length: number | undefined;
  resume(): void;
  /** Ends the attempt from the sink's side. */
  fail(error: Error): void;
}

/** Something below a server's base URL. */
export interface TransferRequest {
  /** Unescaped, with a leading slash. Latin-1, one character a byte. */
  readonly path: string;
  /** What it is, for people. Latin-1 like the path. */
  readonly label: string;
  readonly range?: { readonly offset: number; readonly length: number };
  /** The first 32 bits of the object's hash: spreads objects over proxies (client.md §7.13). */
  readonly shard?: number;
  /** False: waits behind the others for a connection. Default true. */
  readonly urgent?: boolean;
}

export interface TransferSource {
  /** Delivers the bytes to the sink. Rejects when every server failed, with a message of one line. */
  transfer(request: TransferRequest, sink: TransferSink): Promise<void>;
}

/** What arrived is not what was asked for: hash, size or compression are wrong. Another attempt or server may do better. */
export class CorruptTransfer extends Error {
  readonly code = 'BAD_DATA';
  override readonly name = 'CorruptTransfer';
}
