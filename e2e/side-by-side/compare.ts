/** Sends all requests to two servers that run, and compares: what `main.ts` starts once there are servers. */
import { parseArgs } from 'node:util';
import { say } from '../harness/run.ts';
import { Asker } from './ask.ts';
import { expected } from './expected/expected.ts';
import { outgoingOf } from './fill.ts';
import { undocumented } from './parity.ts';
import { describeAnswer, describeFailure, type Result, summary } from './report.ts';
import { subjects } from './requests/subjects.ts';
import type { Row } from './row.ts';
import { createScenario } from './scenario/scenario.ts';
import { untilServed } from './scenario/served.ts';
import { Connections, readSides } from './sides.ts';
import { judge } from './verdict.ts';

/** So many watches are read at once. */
const AT_ONCE = 8;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, show: { type: 'boolean', default: false } } });
const sides = readSides();
const ours = sides[1].name === 'ours';

const began = performance.now();
const scenario = await createScenario();
const connections = [new Connections(sides[0], scenario.users), new Connections(sides[1], scenario.users)] as const;
const asker = new Asker(scenario, connections);
await untilServed(asker);
say(`the scenario stands after ${Math.round(performance.now() - began)} ms`);

const results: Result[] = [];
for (const [subject, rows] of Object.entries(subjects)) {
  const chosen = rows.filter(({ name }) => `${subject}/${name}`.includes(values.only));
  for (const group of groups(chosen)) results.push(...(await Promise.all(group.map(row => compare(subject, row)))));
}
if (values.show) for (const result of results) say(describeAnswer(result));
for (const one of connections) one.close();

const failures = results.filter(({ verdict }) => verdict.kind === 'different' || verdict.kind === 'stale');
for (const failure of failures) say(`${describeFailure(failure, [sides[0].name, sides[1].name])}\n`);
const missing = ours ? undocumented(expected) : [];
for (const what of missing) say(`✗ docs/parity.md has no row "${what}"`);
if (results.length === 0) say(`no request has ${values.only} in its subject and name`);
say(summary(results));
process.exit(results.length > 0 && failures.length + missing.length === 0 ? 0 : 1);

/** Rows that may be sent at once: watches that nothing disturbs. All others go alone. */
function groups(rows: readonly Row[]): Row[][] {
  const together: Row[][] = [];
  for (const row of rows) {
    const last = together.at(-1);
    const quiet = (one: Row | undefined): boolean =>
      one?.readFor !== undefined && one.during === undefined && one.given === undefined;
    if (last !== undefined && last.length < AT_ONCE && quiet(row) && quiet(last[0])) last.push(row);
    else together.push([row]);
  }
  return together;
}

async function compare(subject: string, row: Row): Promise<Result> {
  const answers = await asker.ask(row);
  const verdict = judge(`${subject}/${row.name}`, answers, ours ? expected : []);
  return { subject, name: row.name, outgoing: outgoingOf(row, scenario, 1), user: row.user ?? 'provider', answers, verdict };
}
