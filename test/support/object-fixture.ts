// Objects for tests of the network and the cache: made, served, asked for.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { ContentHash, type HashAlgorithm } from '../../src/objects/hash.ts';
import { type Compression, type ObjectRequest, objectPath } from '../../src/objects/object.ts';

/** A new directory that is removed after the test, however it ends. */
export function temporaryDirectory(t: ExecutionContext<unknown>): string {
  const path = mkdtempSync(join(tmpdir(), 'cvmfs-test-'));
  // Programs that a test has just ended may still write something.
  t.teardown(() => rmSync(path, { recursive: true, force: true, maxRetries: 10 }));
  return path;
}

export interface MadeObject {
  readonly request: ObjectRequest;
  readonly plain: Buffer;
  readonly stored: Buffer;
}

export interface ObjectShape {
  readonly algorithm?: HashAlgorithm;
  readonly compression?: Compression;
  /** False: the request does not tell the size. */
  readonly sized?: boolean;
}

/** The object with this content, and the request for it. */
export function makeObject(plain: Buffer, shape: ObjectShape = {}): MadeObject {
  const { algorithm = 'sha1', compression = 'zlib', sized = true } = shape;
  const stored = compression === 'zlib' ? deflateSync(plain) : plain;
  const size = sized ? plain.length : undefined;
  const request: ObjectRequest = {
    hash: ContentHash.of(algorithm, stored),
    letter: '',
    compression,
    size,
    label: '/file',
  };
  return { request, plain, stored };
}

/** Puts an object where a server finds it. */
export function publishObject(root: string, object: MadeObject): MadeObject {
  const path = join(root, objectPath(object.request));
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, object.stored);
  return object;
}

/** Bytes that look random but are the same every time, and compress to about half. */
export function sampleBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i += 2) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
