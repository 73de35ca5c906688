// A mount of our own: made by this program, and unmounted when it ends. Whoever is root, if only in a user namespace, mounts
// by mount(8); everybody else by fusermount, which is setuid.
export interface OwnMount {
  /** Of /dev/fuse. Mounted by then where whoever mounts also hands it out. Asked for when there is something to serve. */
  descriptor(): Promise<number>;
  /** The descriptor must be served while this waits: who mounts may look at the mount. */
  mount(): Promise<void>;
  /** Also when programs still use it: they see the end of it. */
  unmount(): Promise<void>;
}
