export interface MountOptions {
  /** The number of the /dev/fuse descriptor in the process that calls mount(2). */
  fd: number;
  /** Of the user who mounts, as seen in the namespace that mounts. Root inside a user namespace: 0, 0. */
  uid: number;
  gid: number;
  /** The kernel refuses writes and checks permissions by itself (`readOnlyMount` of the session). */
  readOnly: boolean;
  /** Users other than `uid` may enter. */
  allowOther: boolean;
}

/** The argument of `mount -i -t fuse -o …`. Mounts never honour setuid programs or devices. */
export function mountOptions(options: MountOptions): string {
  const { fd, uid, gid } = options;
  const words = [`fd=${fd}`, 'rootmode=40000', `user_id=${uid}`, `group_id=${gid}`, 'nosuid', 'nodev'];
  if (options.readOnly) words.push('ro', 'default_permissions');
  if (options.allowOther) words.push('allow_other');
  return words.join(',');
}
