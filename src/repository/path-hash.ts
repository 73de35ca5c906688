// MD5 of a path, the key of a catalog's rows. On the path of every look-up: it reads the string itself and writes four
// 32-bit numbers, without allocating. (crypto.createHash costs ten times as much for so short a text.)

/** The two signed little-endian 64-bit columns md5path_1 and md5path_2, as signed 32-bit halves (client.md §3.5). */
export interface PathHash {
  hi1: number;
  lo1: number;
  hi2: number;
  lo2: number;
}

export function newPathHash(): PathHash {
  return { hi1: 0, lo1: 0, hi2: 0, lo2: 0 };
}

/** SINES[i] = floor(2^32 · |sin(i + 1)|). */
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))) | 0);

const words = new Int32Array(16);
const state = new Int32Array(4);

/** Hashes a path given in Latin-1 (one character a byte): "" for the root, else "/a/b". */
export function hashPath(path: string, into: PathHash): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89 | 0;
  state[2] = 0x98badcfe | 0;
  state[3] = 0x10325476;
  const length = path.length;
  let position = 0;
  for (; position + 64 <= length; position += 64) {
    for (let i = 0, at = position; i < 16; i++, at += 4) words[i] = word(path, at);
    addBlock();
  }
  words.fill(0);
  let left = position;
  for (; left + 4 <= length; left += 4) words[(left - position) >> 2] = word(path, left);
  let last = 0x80;
  for (let at = length - 1; at >= left; at--) last = (last << 8) | (path.charCodeAt(at) & 0xff);
  words[(left - position) >> 2] = last;
  if (length - position >= 56) {
    addBlock();
    words.fill(0);
  }
  words[14] = length << 3;
  words[15] = length >>> 29;
  addBlock();
  into.lo1 = state[0];
  into.hi1 = state[1];
  into.lo2 = state[2];
  into.hi2 = state[3];
}

function word(path: string, at: number): number {
  return (
    (path.charCodeAt(at) & 0xff) |
    ((path.charCodeAt(at + 1) & 0xff) << 8) |
    ((path.charCodeAt(at + 2) & 0xff) << 16) |
    (path.charCodeAt(at + 3) << 24)
  );
}

function addBlock(): void {
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  for (let i = 0; i < 16; i += 4) {
    a = step(a + (d ^ (b & (c ^ d))), b, i, i, 7);
    d = step(d + (c ^ (a & (b ^ c))), a, i + 1, i + 1, 12);
    c = step(c + (b ^ (d & (a ^ b))), d, i + 2, i + 2, 17);
    b = step(b + (a ^ (c & (d ^ a))), c, i + 3, i + 3, 22);
  }
  for (let i = 16; i < 32; i += 4) {
    a = step(a + (c ^ (d & (b ^ c))), b, i, (5 * i + 1) & 15, 5);
    d = step(d + (b ^ (c & (a ^ b))), a, i + 1, (5 * i + 6) & 15, 9);
    c = step(c + (a ^ (b & (d ^ a))), d, i + 2, (5 * i + 11) & 15, 14);
    b = step(b + (d ^ (a & (c ^ d))), c, i + 3, (5 * i + 16) & 15, 20);
  }
  for (let i = 32; i < 48; i += 4) {
    a = step(a + (b ^ c ^ d), b, i, (3 * i + 5) & 15, 4);
    d = step(d + (a ^ b ^ c), a, i + 1, (3 * i + 8) & 15, 11);
    c = step(c + (d ^ a ^ b), d, i + 2, (3 * i + 11) & 15, 16);
    b = step(b + (c ^ d ^ a), c, i + 3, (3 * i + 14) & 15, 23);
  }
  for (let i = 48; i < 64; i += 4) {
    a = step(a + (c ^ (b | ~d)), b, i, (7 * i) & 15, 6);
    d = step(d + (b ^ (a | ~c)), a, i + 1, (7 * i + 7) & 15, 10);
    c = step(c + (a ^ (d | ~b)), d, i + 2, (7 * i + 14) & 15, 15);
    b = step(b + (d ^ (c | ~a)), c, i + 3, (7 * i + 21) & 15, 21);
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
}

function step(sum: number, add: number, sine: number, index: number, shift: number): number {
  const value = (sum + SINES[sine]! + words[index]!) | 0;
  return (((value << shift) | (value >>> (32 - shift))) + add) | 0;
}
