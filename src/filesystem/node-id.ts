// Node ids: `attached catalog number · 2^32 + row`, so that inside a revision no inode table is needed and FORGET is free.
// A hard link group is one node for all its names: the group's number with the highest bit of the lower half set.

const CATALOG_UNIT = 2 ** 32;
const GROUP_BIT = 2 ** 31;

/** Numbers from 1 to 2^21 - 1, so that ids stay below 2^53. Number 0 is left to the root node. */
export const MAX_CATALOG_NUMBER = 2 ** 21 - 1;

/** Hard link groups from 1 to this have a node of their own; a catalog that numbers higher is no sound one. */
export const MAX_GROUP = GROUP_BIT - 1;

export function nodeOfRow(catalogNumber: number, rowid: number): number {
  return catalogNumber * CATALOG_UNIT + rowid;
}

export function nodeOfGroup(catalogNumber: number, group: number): number {
  return catalogNumber * CATALOG_UNIT + GROUP_BIT + group;
}

export function catalogNumberOf(node: number): number {
  return Math.floor(node / CATALOG_UNIT);
}

/** The row, or undefined where the node stands for a hard link group. */
export function rowOf(node: number): number | undefined {
  const low = node % CATALOG_UNIT;
  return low < GROUP_BIT ? low : undefined;
}

export function groupOf(node: number): number {
  return (node % CATALOG_UNIT) - GROUP_BIT;
}
