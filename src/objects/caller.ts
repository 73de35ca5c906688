// The process on whose behalf something is done.

/** Ids as the mount's namespaces see them; pid 0 when it is not seen there. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}
