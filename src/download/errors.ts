// Why a download failed, in the terms of client.md §7.4.

export type FailureCode =
  | 'LOCAL_IO'
  | 'BAD_URL'
  | 'PROXY_RESOLVE'
  | 'HOST_RESOLVE'
  | 'PROXY_CONNECTION'
  | 'HOST_CONNECTION'
  | 'PROXY_HTTP'
  | 'HOST_HTTP'
  | 'BAD_DATA'
  | 'PROXY_TOO_SLOW'
  | 'HOST_TOO_SLOW'
  | 'PROXY_SHORT'
  | 'HOST_SHORT'
  | 'CANCELED'
  /** The network is not to be used. */
  | 'OFFLINE';

export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  readonly code: FailureCode;
  /** HTTP status of the last answer, where there was one. */
  readonly status: number | undefined;
  /** Bytes came, but too few in the time. */
  readonly trickled: boolean;

  constructor(
    code: FailureCode,
    message: string,
    options: { cause?: unknown; status?: number | undefined; trickled?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.trickled = options.trickled ?? false;
  }
}

/** Errors that are worth another try at the same URL. */
export function isTransferFailure(code: FailureCode): boolean {
  return isProxyTransferFailure(code) || isHostTransferFailure(code);
}

export function isProxyTransferFailure(code: FailureCode): boolean {
  return code === 'PROXY_CONNECTION' || code === 'PROXY_TOO_SLOW' || code === 'PROXY_SHORT';
}

export function isHostTransferFailure(code: FailureCode): boolean {
  return code === 'HOST_CONNECTION' || code === 'HOST_TOO_SLOW' || code === 'HOST_SHORT';
}

export function isProxyFailure(code: FailureCode): boolean {
  return code === 'PROXY_RESOLVE' || code === 'PROXY_HTTP' || isProxyTransferFailure(code);
}

export function isHostFailure(code: FailureCode): boolean {
  return code === 'HOST_RESOLVE' || code === 'HOST_HTTP' || isHostTransferFailure(code);
}
