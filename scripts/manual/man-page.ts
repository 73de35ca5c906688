// A man page, in man(7), of what `--help` says and of sections that were written by hand (man/NAME.roff).
import type { HelpText, Row } from './help-text.ts';

export interface ManPage {
  /** With dashes: `cvmfsexec-config`. */
  readonly name: string;
  /** Less than a sentence. */
  readonly summary: string;
  readonly help: HelpText;
  /** Sections in man(7), put in front of SEE ALSO. */
  readonly handWritten: string;
  /** Names of other pages, all of section 1. */
  readonly seeAlso: readonly string[];
  readonly version: string;
}

/** Reproducible where SOURCE_DATE_EPOCH says so. */
function buildDate(): string {
  const { SOURCE_DATE_EPOCH: seconds } = process.env;
  return (seconds ? new Date(Number(seconds) * 1000) : new Date()).toISOString().slice(0, 10);
}

const EXIT = /^Exit codes?: */;

export function manPage({ name, summary, help, handWritten, seeAlso, version }: ManPage): string {
  const isExit = (paragraph: string): boolean => EXIT.test(paragraph);
  const description = [...help.description, ...help.notes.filter((note) => !isExit(note))];
  const lines = [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 1 "${buildDate()}" "cvmfsexec ${version}" "CernVM\\-FS"`,
    ...section('NAME', [`${escaped(name)} \\- ${escaped(summary)}`]),
    ...section(
      'SYNOPSIS',
      help.usage.flatMap((line, i) => [...(i > 0 ? ['.br'] : []), textLine(line)]),
    ),
    ...section(
      'DESCRIPTION',
      paragraphs(description.length > 0 ? description : [`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`]),
    ),
    ...section('ARGUMENTS', help.arguments.flatMap(tagged)),
    ...section('OPTIONS', help.options.flatMap(tagged)),
    ...section('COMMANDS', help.commands.flatMap(tagged)),
    ...section('ENVIRONMENT', help.others.flatMap(tagged)),
    ...section('EXIT STATUS', paragraphs(help.notes.filter(isExit).map((note) => note.replace(EXIT, '')))),
    ...section('EXAMPLES', help.examples.length > 0 ? ['.nf', ...help.examples.map(textLine), '.fi'] : []),
    ...handWritten.trimEnd().split('\n').filter(Boolean),
    ...section(
      'SEE ALSO',
      seeAlso.map((other, i) => `.BR ${escaped(other)} (1)${i < seeAlso.length - 1 ? ',' : ''}`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? [`.SH ${title}`, ...lines] : [];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, i) => [...(i > 0 ? ['.PP'] : []), textLine(text)]);
}

function tagged({ words, text }: Row): string[] {
  return ['.TP', `.B ${escaped(words)}`, ...(text ? [textLine(text)] : [])];
}

/** A line that begins with a dot or a quote would be a request. */
function textLine(text: string): string {
  return escaped(text).replace(/^([.'])/, '\\&$1');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('’', '\\(cq').replaceAll('…', '...');
}
