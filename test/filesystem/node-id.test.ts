import test from 'ava';
import fc from 'fast-check';
import {
  catalogNumberOf,
  groupOf,
  MAX_CATALOG_NUMBER,
  nodeOfGroup,
  nodeOfRow,
  rowOf,
} from '../../src/filesystem/node-id.ts';

const catalogNumber = fc.integer({ min: 1, max: MAX_CATALOG_NUMBER });
const low = fc.integer({ min: 1, max: 2 ** 31 - 1 });

test('a node id gives back the catalog and the row it was made of', (t) => {
  fc.assert(
    fc.property(catalogNumber, low, (number, row) => {
      const node = nodeOfRow(number, row);
      return Number.isSafeInteger(node) && catalogNumberOf(node) === number && rowOf(node) === row;
    }),
  );
  t.pass();
});

test('a hard link group has an id that no row has', (t) => {
  fc.assert(
    fc.property(catalogNumber, low, (number, group) => {
      const node = nodeOfGroup(number, group);
      return (
        Number.isSafeInteger(node) &&
        catalogNumberOf(node) === number &&
        rowOf(node) === undefined &&
        groupOf(node) === group
      );
    }),
  );
  t.pass();
});

test('no catalog has the number of the root node', (t) => {
  t.is(catalogNumberOf(1), 0);
});
