// Which repositories were mounted while the job ran, and on which of the spare descriptors of /dev/fuse: kept in the job's
// journal, so that the next server finds them when this one is killed.

export interface LaterMount {
  /** Counts these mounts; a repository that was unmounted and is mounted again has another one. */
  readonly slot: number;
  readonly fqrn: string;
  /** Index into the spare descriptors; undefined: this server's own, and lost with it. */
  readonly descriptor?: number;
}

type LaterRecord = LaterMount | { readonly unmounting: number } | { readonly unmounted: number; readonly fqrn: string };

export class LaterMounts {
  readonly #append: (record: string) => void;
  readonly #open = new Map<number, LaterMount>();
  readonly #ending = new Set<number>();
  readonly #ended = new Set<number>();
  readonly #endedNames = new Set<string>();
  #nextSlot = 0;
  #nextDescriptor = 0;
  readonly #spares: number;

  /** @param spares how many descriptors there are */
  constructor(spares: number, records: readonly string[], append: (record: string) => void) {
    this.#spares = spares;
    this.#append = append;
    for (const text of records) this.#replay(JSON.parse(text) as LaterRecord);
  }

  /** Not unmounted since, as the servers before have left it. */
  get open(): readonly LaterMount[] {
    return [...this.#open.values()];
  }

  /** A descriptor is used once: what was mounted with it stays bound to it. */
  add(fqrn: string): LaterMount {
    const descriptor = this.#nextDescriptor < this.#spares ? this.#nextDescriptor : undefined;
    const mount = { slot: this.#nextSlot, fqrn, ...(descriptor === undefined ? {} : { descriptor }) };
    this.#append(JSON.stringify(mount));
    this.#replay(mount);
    return mount;
  }

  /** It is about to be unmounted; nobody notes it if that fails. */
  beginEnd(slot: number): void {
    const record = { unmounting: slot };
    this.#append(JSON.stringify(record));
    this.#replay(record);
  }

  isEnding(slot: number): boolean {
    return this.#ending.has(slot);
  }

  end(slot: number, fqrn: string): void {
    if (this.#ended.has(slot)) return;
    const record = { unmounted: slot, fqrn };
    this.#append(JSON.stringify(record));
    this.#replay(record);
  }

  /** Repositories that the launch names have slots as well, below 0. */
  hasEnded(slot: number): boolean {
    return this.#ended.has(slot);
  }

  /** Whether it was mounted once and then unmounted, in this job. */
  wasUnmounted(fqrn: string): boolean {
    return this.#endedNames.has(fqrn);
  }

  #replay(record: LaterRecord): void {
    if ('unmounting' in record) {
      this.#ending.add(record.unmounting);
      return;
    }
    if ('unmounted' in record) {
      this.#open.delete(record.unmounted);
      this.#ended.add(record.unmounted);
      this.#endedNames.add(record.fqrn);
      return;
    }
    this.#open.set(record.slot, record);
    this.#nextSlot = Math.max(this.#nextSlot, record.slot + 1);
    if (record.descriptor !== undefined) this.#nextDescriptor = Math.max(this.#nextDescriptor, record.descriptor + 1);
  }
}
