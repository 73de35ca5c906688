// One try at a file:// URL. Asynchronous: the directory may be on a network file system that hangs.
import * as fs from 'node:fs';
import { CorruptTransfer, type TransferSink } from '../objects/transfer.ts';
import type { Meter } from './attempt.ts';
import { DownloadError } from './errors.ts';

export interface FileTarget {
  /** Absolute path; bytes, since names in a repository are. */
  readonly path: string | Buffer;
  readonly range?: { readonly offset: number; readonly length: number };
  /** Milliseconds that one step may take. */
  readonly slow: number;
}

const BLOCK_BYTES = 262144;
/** Opening a pipe must not wait for its other end. */
const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

/** Reads the file into the sink. Rejects with DownloadError; a missing file is like HTTP 404. */
export async function attemptFile(target: FileTarget, sink: TransferSink, meter: Meter): Promise<void> {
  const fd = await bounded<number>(target.slow, (done) => fs.open(target.path, OPEN_FLAGS, done), fs.closeSync);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw new DownloadError('HOST_HTTP', 'not a regular file', { status: 404 });
    await pass(fd, stat.size, target, sink, meter);
  } catch (error) {
    sink.abort();
    throw classify(error);
  } finally {
    // Asynchronous, as a read that hangs must not be joined by the close.
    fs.close(fd, () => {});
  }
}

async function pass(fd: number, size: number, target: FileTarget, sink: TransferSink, meter: Meter): Promise<void> {
  let at = Math.min(target.range?.offset ?? 0, size);
  const end = target.range ? Math.min(size, at + target.range.length) : size;
  let resume: (() => void) | undefined;
  let failure: Error | undefined;
  const wake = () => {
    resume?.();
    resume = undefined;
  };
  sink.begin({
    length: end - at,
    resume: wake,
    fail: (error) => {
      failure = error;
      wake();
    },
  });
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(BLOCK_BYTES, end - at)));
  while (at < end) {
    const wanted = Math.min(buffer.length, end - at);
    const count = await bounded<number>(target.slow, (done) => fs.read(fd, buffer, 0, wanted, at, done));
    if (count === 0) throw new DownloadError('HOST_SHORT', 'the file became shorter');
    at += count;
    meter.bytes += count;
    if (!sink.write(buffer.subarray(0, count)) && !failure) {
      await new Promise<void>((resolve) => {
        resume = resolve;
      });
    }
    if (failure) throw failure;
  }
  await sink.end();
}

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

/** Waits for a file operation, but not for ever; a result that comes too late goes to `late`. */
function bounded<T>(milliseconds: number, start: (done: Done<T>) => void, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const expire = () => {
      if (over) return;
      over = true;
      reject(new DownloadError('HOST_TOO_SLOW', `no data for ${milliseconds / 1000} s`));
    };
    const timer = Number.isFinite(milliseconds) ? setTimeout(() => setImmediate(expire), milliseconds) : undefined;
    start((error, value) => {
      clearTimeout(timer);
      if (over) {
        if (!error) late?.(value);
        return;
      }
      over = true;
      if (error) reject(unreadable(error));
      else resolve(value);
    });
  });
}

function classify(error: unknown): DownloadError {
  if (error instanceof DownloadError) return error;
  if (error instanceof CorruptTransfer) return new DownloadError('BAD_DATA', error.message, { cause: error });
  return new DownloadError('LOCAL_IO', (error as Error).message, { cause: error });
}

function unreadable(error: NodeJS.ErrnoException): DownloadError {
  if (error.syscall === 'open' && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
    return new DownloadError('HOST_HTTP', 'no such file', { status: 404, cause: error });
  }
  return new DownloadError('HOST_CONNECTION', error.message, { cause: error });
}
