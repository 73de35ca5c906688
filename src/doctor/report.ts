// The doctor's report for people: short enough to be pasted into a ticket.
import chalk from 'chalk';
import type { Finding, Section, State } from './finding.ts';

const MARKS: Readonly<Record<State, string>> = {
  ok: chalk.green('✔'),
  warning: chalk.yellow('!'),
  problem: chalk.red('✘'),
};
const SUBJECT_WIDTH = 16;

export function sectionText({ title, findings }: Section): string {
  return `${chalk.bold(title)}\n${findings.map(findingText).join('')}\n`;
}

function findingText({ subject, state, text, advice }: Finding): string {
  const line = `  ${MARKS[state]} ${subject.padEnd(SUBJECT_WIDTH)} ${state === 'problem' ? chalk.red(text) : text}\n`;
  return advice === undefined ? line : `${line}    ${''.padEnd(SUBJECT_WIDTH)} ${chalk.cyan('→')} ${advice}\n`;
}

/** The last line. */
export function summary(sections: readonly Section[]): string {
  const states = sections.flatMap(({ findings }) => findings.map(({ state }) => state));
  const count = (state: State, noun: string): string => {
    const number = states.filter((other) => other === state).length;
    return number === 0 ? '' : `${number} ${noun}${number === 1 ? '' : 's'}`;
  };
  const parts = [count('problem', 'problem'), count('warning', 'warning')].filter(Boolean);
  if (parts.length === 0) return chalk.green('Everything is as it should be.');
  return states.includes('problem') ? chalk.red(parts.join(', ')) : chalk.yellow(`${parts.join(', ')}; jobs work`);
}
