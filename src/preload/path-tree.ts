// Single paths, each known by its name: those of a record, and targets of links. A tree of names, so that in a large
// directory only these are looked up.
import type { Child, Guide, Range, Wanted } from './guide.ts';
import type { RecordEntry } from './record.ts';

interface Node {
  readonly children: Map<string, Node>;
  content?: 'all' | Range[];
  /** Names are looked up in this directory, or everything below it is wanted. */
  entered: boolean;
  whole: boolean;
}

export class PathTree {
  readonly #root = newNode();
  #paths = 0;

  get isEmpty(): boolean {
    return this.#paths === 0;
  }

  /** Makes a tree of what was recorded of one repository. */
  static ofRecord(entries: Iterable<RecordEntry>, repository: string): PathTree {
    const tree = new PathTree();
    for (const entry of entries) if (entry.repository === repository) tree.#record(entry);
    return tree;
  }

  /** Everything in and below `path`; Latin-1, without a slash at its end. */
  addWhole(path: string): void {
    const node = this.#node(path);
    node.whole = true;
    node.content = 'all';
  }

  /** For the root directory. */
  get guide(): Guide {
    return this.#root.whole ? EVERYTHING : guideOf(this.#root);
  }

  #record(entry: RecordEntry): void {
    const node = this.#node(entry.path);
    if (entry.type === 'directory' || entry.type === 'catalog') node.entered = true;
    if (entry.type !== 'file') return;
    const { offset, size } = entry;
    if (offset === undefined || size === undefined) node.content = 'all';
    else if (node.content === undefined) node.content = [{ offset, size }];
    else if (node.content !== 'all') node.content.push({ offset, size });
  }

  #node(path: string): Node {
    let node = this.#root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      node.entered = true;
      let next = node.children.get(name);
      if (!next) {
        next = newNode();
        node.children.set(name, next);
      }
      node = next;
    }
    this.#paths++;
    return node;
  }
}

/** Everything but what is hidden. */
const EVERYTHING: Guide = {
  child: ({ hidden }: Child): Wanted | undefined => (hidden ? undefined : { content: 'all', below: EVERYTHING }),
};

function newNode(): Node {
  return { children: new Map(), entered: false, whole: false };
}

function guideOf(node: Node): Guide {
  return {
    names: () => node.children.keys(),
    rest: () => wholePaths(node),
    child: ({ name }) => {
      const child = node.children.get(name);
      if (!child) return undefined;
      const below = child.whole ? EVERYTHING : child.entered ? guideOf(child) : undefined;
      return { content: child.content, below };
    },
  };
}

/** Without the node's own path. */
function* wholePaths(node: Node): Generator<string> {
  for (const [name, child] of node.children) {
    if (child.whole) yield `/${name}`;
    else for (const rest of wholePaths(child)) yield `/${name}${rest}`;
  }
}
