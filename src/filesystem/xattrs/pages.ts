// Values of extended attributes come in pages (client.md §5.11): NAME is page 0, NAME~N the Nth for programs, NAME@N the
// same with a line of explanation for people, and N is `?` for how many there are.

export interface PageRequest {
  readonly attribute: string;
  /** undefined: how many pages there are. */
  readonly page: number | undefined;
  readonly human: boolean;
}

/** Characters of a page: above this a value goes on in the next one. */
export const PAGE_LENGTH = 40_000;

/** undefined: the part behind the separator is neither a number nor `?`. */
export function parsePageRequest(name: string): PageRequest | undefined {
  const human = name.includes('@');
  const separator = human ? '@' : '~';
  const first = name.indexOf(separator);
  if (first < 0) return { attribute: name, page: 0, human: false };
  const attribute = name.slice(0, first);
  const token = name.slice(name.lastIndexOf(separator) + 1);
  if (token === '?') return { attribute, page: undefined, human };
  return /^\d+$/.test(token) ? { attribute, page: Number(token), human } : undefined;
}

/** What is read; undefined where there is no such page. */
export function renderPage(pages: readonly string[], { page, human }: PageRequest): string | undefined {
  const count = pages.length;
  if (!human) return page === undefined ? `num_pages, ${count}` : pages[page];
  if (page === undefined) {
    return `Access xattr with xattr~<page_num> (machine-readable mode) or  xattr@<page_num> (human-readable mode).\nPages available: ${count}`;
  }
  if (page >= count) return `There is no page ${page}: they are numbered from 0, and there are ${count}.\n`;
  const others = `(access other pages: xattr~<page_num>, starting  with 0; number of pages available: xattr~?)`;
  return `# Access page at idx: ${page}. Total num pages: ${count} ${others}\n${pages[page]}`;
}

/** Distributes pieces, such as lines, over pages; each page begins with `header`. No pieces make no page, unless there is a header. */
export function paginate(pieces: readonly string[], header = ''): string[] {
  const pages: string[] = [];
  let page = header;
  for (const piece of pieces) {
    if (page.length > header.length && page.length + piece.length > PAGE_LENGTH) {
      pages.push(page);
      page = header;
    }
    page += piece;
  }
  if (page !== '') pages.push(page);
  return pages;
}
