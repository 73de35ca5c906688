// The same tree on disk: what every figure is compared with.
import type { Contestant } from './contestant.ts';

export function disk(tree: string): Contestant {
  return { name: 'disk', root: tree, coldness: 'pages', launch: (command) => [...command] };
}
