// Errno values of Linux that a read-only file system answers with.
export const ENOENT = 2;
export const EIO = 5;
export const EACCES = 13;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENODATA = 61;
export const ESTALE = 116;
