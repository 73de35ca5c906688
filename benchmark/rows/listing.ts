/** Shows every entry with its attributes. In the root of the tree. */
export const LIST_ALL = 'find . -ls >/dev/null';
