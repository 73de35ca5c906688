// Errno values of Linux (asm-generic, the same on x86-64 and arm64) that this layer gives or meets.

export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const EACCES = 13;
export const EINVAL = 22;
export const ENOTTY = 25;
export const EROFS = 30;
export const ERANGE = 34;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const EPROTO = 71;
export const EOPNOTSUPP = 95;
export const ESTALE = 116;

/** The kernel refuses a reply whose error is not in 1..511, and then never ends the request. */
export function isErrno(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 512;
}
