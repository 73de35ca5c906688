// Why a connection, or a request on it, failed.

/** What was being waited for when it went wrong; 'tls': with the server, through a tunnel. */
export type Phase = 'resolve' | 'connect' | 'tls' | 'response' | 'body';

export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  readonly phase: Phase;
  /** 'slow': nothing wrong but the time; 'trickle': bytes come, but few. */
  readonly kind: 'error' | 'slow' | 'trickle';
  /** An idle connection that the other side had closed meanwhile: says nothing about the server. */
  readonly stale: boolean;

  constructor(phase: Phase, kind: ConnectionFailure['kind'], message: string, stale: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.phase = phase;
    this.kind = kind;
    this.stale = stale;
  }
}

/** The reason in a few words. */
export function describeFailure(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection reset';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to host';
    case 'ENOTFOUND':
      return 'name not found';
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return 'name server does not answer';
    default:
      // AggregateError of several addresses has no text of its own.
      return error.message || code || 'connection failed';
  }
}
