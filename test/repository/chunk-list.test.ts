import test from 'ava';
import { insertChunk, openMade } from './made-catalog.ts';

const chunked = (size: number, ...chunks: [offset: number, size: number, hash?: string][]) =>
  openMade({
    rows: [{ path: '/f', size, flags: 0x244 }],
    after: [insertChunk('/other', 0, 7), ...chunks.map((chunk) => insertChunk('/f', ...chunk))].join('\n'),
  });

test('chunks come in order, with the algorithm of their file', (t) => {
  const catalog = chunked(300, [200, 100], [0, 150], [150, 50]);
  const chunks = catalog.chunks(catalog.row(2)!);
  t.deepEqual(
    chunks.map(({ offset, size }) => [offset, size]),
    [
      [0, 150],
      [150, 50],
      [200, 100],
    ],
  );
  t.is(chunks[0]?.hash.toString(), `${'cd'.repeat(20)}-shake128`);
});

const BROKEN: Record<string, Parameters<typeof chunked>> = {
  'none at all': [300],
  'a gap': [300, [0, 100], [150, 150]],
  'an overlap': [300, [0, 200], [150, 150]],
  'none at the start': [300, [100, 200]],
  'too few': [300, [0, 100], [100, 100]],
  'too many': [300, [0, 100], [100, 300]],
  'an empty one': [300, [0, 0], [0, 300]],
  'a negative one': [300, [0, 300], [300, -1]],
  'a hash of a wrong length': [300, [0, 300, 'cd'.repeat(19)]],
};

for (const [what, parameters] of Object.entries(BROKEN)) {
  test(`a chunked file whose chunks have ${what} is an error`, (t) => {
    const catalog = chunked(...parameters);
    t.throws(() => catalog.chunks(catalog.row(2)!), { code: 'BadCatalog' });
  });
}
