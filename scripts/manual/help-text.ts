// What `--help` of a program says, taken apart: the man pages and the completions are made from it, so that there is one place
// for each option. Blocks are separated by empty lines; rows begin with two blanks, and go on further to the right.

export interface Row {
  /** `-o, --option <VALUE>`, an argument, a command, a variable. */
  readonly words: string;
  readonly text: string;
}

export interface HelpText {
  /** Command lines, one each; without `Usage:`. */
  readonly usage: readonly string[];
  readonly examples: readonly string[];
  /** Paragraphs in front of the first table. */
  readonly description: readonly string[];
  readonly options: readonly Row[];
  readonly arguments: readonly Row[];
  readonly commands: readonly Row[];
  /** Rows of another kind: variables. */
  readonly others: readonly Row[];
  /** Paragraphs behind the tables. */
  readonly notes: readonly string[];
}

export function parseHelp(text: string): HelpText {
  const help = {
    ...{ usage: [] as string[], examples: [] as string[], description: [] as string[], notes: [] as string[] },
    ...{ options: [] as Row[], arguments: [] as Row[], commands: [] as Row[], others: [] as Row[] },
  };
  let tables = false;
  for (const block of text.trim().split(/\n\s*\n/)) {
    const lines = block.split('\n');
    const title = /^(Examples?|Usage|Arguments|Options|Commands)\b[^:]*:\s*(.*)$/.exec(lines[0] ?? '');
    const rest = title ? lines.slice(1) : lines;
    const kind = title?.[1];
    if (kind?.startsWith('Example')) help.examples.push(...rest.map((line) => line.replace(/^ {2}/, '')));
    else if (kind === 'Usage') help.usage.push(title?.[2] ?? '', ...rest.map((line) => line.trim()));
    else if (kind || rest.every((line) => line.startsWith('  '))) {
      tables = true;
      for (const row of rowsOf(rest)) tableOf(help, kind, row).push(row);
    } else (tables ? help.notes : help.description).push(rest.map((line) => line.trim()).join(' '));
  }
  return help;
}

type Tables = Record<'options' | 'arguments' | 'commands' | 'others', Row[]>;

function tableOf(help: Tables, kind: string | undefined, { words }: Row): Row[] {
  if (kind === 'Arguments') return help.arguments;
  if (kind === 'Commands') return help.commands;
  if (words.startsWith('-')) return help.options;
  return /^[A-Z_]+$/.test(words) ? help.others : help.commands;
}

function rowsOf(lines: readonly string[]): Row[] {
  const rows: { words: string; text: string }[] = [];
  for (const line of lines) {
    const [, words, text = ''] = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    const last = rows.at(-1);
    if (words !== undefined) rows.push({ words, text });
    else if (last) last.text = `${last.text} ${line.trim()}`.trim();
  }
  return rows;
}
