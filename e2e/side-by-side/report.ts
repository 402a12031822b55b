import { inspect } from 'node:util';
import type { Outgoing } from './exchange.ts';
import type { Answer } from './normalise.ts';
import type { Verdict } from './verdict.ts';

export interface Result {
  readonly subject: string;
  readonly name: string;
  readonly outgoing: Outgoing;
  readonly user: string;
  readonly answers: readonly [Answer, Answer];
  readonly verdict: Verdict;
}

/** So much of an answer is shown. */
const SHOWN = 1500;

const shorten = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`);

const show = (value: unknown): string => (value === undefined ? 'nothing' : shorten(JSON.stringify(value)));

function showAnswer(name: string, { body, end, headers, layout, status, stored }: Answer): string {
  const ended = end === undefined ? '' : `, ${end}`;
  const lines = [
    `  ${name}: ${status} ${inspect(headers, { breakLength: Number.POSITIVE_INFINITY })}${ended}${layout ? `, ${layout}` : ''}`,
    `    ${show(body)}`,
  ];
  return [...lines, ...(stored === undefined ? [] : [`    stored: ${show(stored)}`])].join('\n');
}

/** One failed row: the request, where the answers part, and both of them. */
export function describeFailure(
  { answers, name, outgoing, subject, user, verdict }: Result,
  sides: readonly [string, string],
): string {
  const head = `✗ ${subject}/${name}: ${outgoing.method} ${outgoing.path} as ${user}${outgoing.http2 ? ' over HTTP/2' : ''}`;
  const lines = [head, `  sent: ${show(outgoing.headers)} ${shorten(outgoing.body.toString('utf8'))}`.trimEnd()];
  if (verdict.kind === 'stale') return [...lines, `  declared as "${verdict.what}", but there is no difference`].join('\n');
  if (verdict.kind !== 'different') return lines.join('\n');
  const { difference, what } = verdict;
  if (what !== undefined) lines.push(`  declared as "${what}", but ours does not answer as declared`);
  lines.push(`  first at ${difference.path}: ${show(difference.one)} ≠ ${show(difference.other)}`);
  return [...lines, ...answers.map((answer, i) => showAnswer(sides[i] ?? '', answer))].join('\n');
}

/** One line with the beginning of the first side's answer. */
export function describeAnswer({ answers: [kcp], name, subject }: Result): string {
  return `· ${subject}/${name}: ${kcp.status} ${kcp.headers['content-type'] ?? ''} ${show(kcp.body)}${kcp.stored === undefined ? '' : ` stored ${show(kcp.stored)}`}`;
}

/** A table of the counts by subject. */
export function summary(results: readonly Result[]): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const count = (subject: string | undefined, kind?: Verdict['kind']): number =>
    results.filter(
      result => (subject === undefined || result.subject === subject) && (kind === undefined || result.verdict.kind === kind),
    ).length;
  const line = (name: string, subject: string | undefined): string => {
    const counts = [
      count(subject),
      count(subject, 'equal'),
      count(subject, 'declared'),
      count(subject, 'different'),
      count(subject, 'stale'),
    ];
    return name.padEnd(20) + counts.map(number => String(number).padStart(10)).join('');
  };
  const head =
    'subject'.padEnd(20) + ['requests', 'equal', 'declared', 'different', 'stale'].map(text => text.padStart(10)).join('');
  return [head, ...subjects.map(subject => line(subject, subject)), line('all', undefined)].join('\n');
}
