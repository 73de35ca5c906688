// What a test, the driver in its namespaces and the server below it say to each other over Node's IPC channels.

import type { Negotiated } from '../../src/fuse/init.ts';

export interface MountSettings {
  /** `ro` and `default_permissions`, as on mounts of our own. */
  readOnly: boolean;
  answerOpen: boolean;
  listXattr: boolean;
  /** The server reads before the descriptor is mounted. */
  serveFirst?: boolean;
  /** The driver keeps a copy of the descriptor, so that a killed server can have a successor. */
  keepDescriptor?: boolean;
  /** The successor does without RESEND, as on kernels before 6.9. */
  withoutResend?: boolean;
}

export interface ServerSettings extends MountSettings {
  negotiated?: Negotiated;
}

export interface Outcome {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  /** Milliseconds. */
  took: number;
}

export type Command =
  /** A shell script; the mount point is its "$MP". */
  | { run: string }
  /** One of the server's own commands. */
  | { server: string; arguments: unknown[] }
  | { killServer: true }
  /** Kills it and starts another one though the first does not end. */
  | { overtakeServer: true }
  | { restartServer: true };

export interface Call {
  id: number;
  command: Command;
}

export interface Return {
  id: number;
  value?: unknown;
  error?: string;
}
