/** What worlds of several sizes have shown, as tables. */
import { figure, table } from '../report/table.ts';
import type { Filled } from './protocol.ts';
import type { WorldResult } from './results.ts';

const KILOBYTE = 1024;
const MEGABYTE = 1024 ** 2;

export const numbered = (value: number): string => value.toLocaleString('en');

/** `text`: command and machine, for the beginning. */
export function renderReport(results: readonly WorldResult[], text: string): string {
  return [
    text,
    'Filling the index:',
    renderFilled(results),
    'Lists, in milliseconds; own CPU is compared with that of the smallest world:',
    renderLists(results),
    'Changes of who may enter, with one watch open, in milliseconds:',
    renderChanges(results),
    'Watchers:',
    renderWatchers(results),
    'Changes of one workspace that these are told of, in milliseconds:',
    renderEvents(results),
  ].join('\n\n');
}

const totalOf = ({ milliseconds }: Filled): number => Object.values(milliseconds).reduce((sum, part) => sum + part, 0);

const FILLED: readonly (readonly [string, (filled: Filled) => number])[] = [
  ['ms in all', totalOf],
  ['of these ms for workspaces', ({ milliseconds }) => milliseconds.workspaces],
  ['µs for each workspace, with its bindings', filled => (totalOf(filled) * 1_000) / filled.workspaces],
  ['KB of JSON in each', ({ text, workspaces }) => text / workspaces / KILOBYTE],
  ['heap KB for each', ({ index, workspaces }) => index.heap / workspaces / KILOBYTE],
  ['… with what informers keep', ({ withFeed, workspaces }) => withFeed.heap / workspaces / KILOBYTE],
  ['resident KB for each, then', ({ withFeed, workspaces }) => withFeed.resident / workspaces / KILOBYTE],
  ['heap MB in all', ({ index }) => index.heap / MEGABYTE],
  ['edges', ({ edges }) => edges],
  ['heap bytes for each edge more, five in a binding', ({ further }) => further.heap / further.edges],
  ['µs for each of these', ({ further }) => (further.milliseconds * 1_000) / further.edges],
  ['heap MB left when they are gone', ({ left }) => left / MEGABYTE],
];

/** A column for each size, and for each the growth from the one before. */
export function renderFilled(results: readonly WorldResult[]): string {
  const sizes = results.map(({ size }) => size.workspaces);
  const growth = sizes.slice(1).map((size, at) => `${numbered(size)} ÷ ${numbered(sizes[at] ?? 0)}`);
  const lines = FILLED.map(([name, value]) => {
    const values = results.map(({ filled }) => value(filled));
    const ratios = values.slice(1).map((later, at) => `${figure(later / (values[at] ?? Number.NaN))}×`);
    return [name, ...values.map(figure), ...ratios];
  });
  return table([['workspaces', ...sizes.map(numbered), ...growth], ...lines]);
}

const COMPARED = '× fewest';

/** The rows of each name together, from the smallest world to the largest; the last column compares with the first of them. */
function byName<T extends { readonly name: string }>(
  results: readonly WorldResult[],
  partsOf: (result: WorldResult) => readonly T[],
  columns: readonly (readonly [string, (part: T) => string])[],
  comparable: (part: T) => readonly [sameOnly: number, value: number],
): string {
  const names = [...new Set(results.flatMap(result => partsOf(result).map(({ name }) => name)))];
  const lines = names.flatMap(name => {
    const found = results.flatMap(result => {
      const part = partsOf(result).find(candidate => candidate.name === name);
      return part ? [{ part, workspaces: result.size.workspaces }] : [];
    });
    const [first] = found;
    return found.map(({ part, workspaces }) => {
      const [same, value] = comparable(part);
      const [ofFirst, base] = first ? comparable(first.part) : [Number.NaN, Number.NaN];
      const ratio = same === ofFirst && part !== first?.part ? `${figure(value / base)}×` : '';
      return [name, numbered(workspaces), ...columns.map(([, read]) => read(part)), ratio];
    });
  });
  return table([['', 'workspaces', ...columns.map(([heading]) => heading), COMPARED], ...lines]);
}

export const renderLists = (results: readonly WorldResult[]): string =>
  byName(
    results,
    ({ lists }) => lists,
    [
      ['seen', ({ seen }) => numbered(seen)],
      ['first', ({ first }) => figure(first)],
      ['median', ({ later }) => figure(later.median)],
      ['p99', ({ later }) => figure(later.p99)],
      ['own CPU', ({ cpu }) => figure(cpu)],
      ['KB', ({ bytes }) => figure(bytes / KILOBYTE)],
    ],
    ({ cpu, seen }) => [seen, cpu],
  );

export const renderChanges = (results: readonly WorldResult[]): string =>
  byName(
    results,
    ({ changes }) => changes,
    [
      ['events', ({ lines }) => numbered(lines)],
      ['write', ({ write }) => figure(write.median)],
      ['p99', ({ write }) => figure(write.p99)],
      ['until read', ({ arrival }) => figure(arrival.median)],
      ['p99', ({ arrival }) => figure(arrival.p99)],
    ],
    ({ lines, write }) => [lines, write.median],
  );

const renderWatchers = (results: readonly WorldResult[]): string =>
  table([
    ['workspaces', 'watchers', 'heap KB for each', 'heap KB left for each when they are gone'],
    ...results.map(({ size, watchers }) => [
      numbered(size.workspaces),
      numbered(watchers.watchers),
      ...[watchers.heap, watchers.left].map(bytes => figure(bytes / KILOBYTE)),
    ]),
  ]);

const renderEvents = (results: readonly WorldResult[]): string =>
  byName(
    results,
    ({ watchers }) => watchers.events,
    [
      ['watchers told', ({ lines }) => numbered(lines)],
      ['write', ({ write }) => figure(write.median)],
      ['p99', ({ write }) => figure(write.p99)],
      ['until all have read', ({ arrival }) => figure(arrival.median)],
      ['p99', ({ arrival }) => figure(arrival.p99)],
      ['events a second', ({ perSecond }) => figure(perSecond)],
      ['lines a second', ({ lines, perSecond }) => figure(perSecond * lines)],
      ['own CPU µs a line', ({ cpuPerLine }) => figure(cpuPerLine * 1_000)],
    ],
    ({ arrival, lines }) => [lines, arrival.median],
  );
