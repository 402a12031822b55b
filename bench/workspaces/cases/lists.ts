import { median } from '../../statistics.ts';
import { type Listed, pathOf } from '../client.ts';
import type { ListResult } from '../results.ts';
import { type Run, timesOf } from '../run.ts';
import { ACCESS_ROLE, type Person, SCATTERED, SEEN, type World } from '../world.ts';

interface ListCase {
  readonly name: string;
  readonly who: Person;
  readonly parent: string;
  readonly seen: readonly number[];
  /** Workspaces apart that are seen besides. */
  readonly besides?: number;
  readonly table?: boolean;
}

const PAGE = 500;
const FEWEST = 5;

const FIRST = 'root:org-00';
/** Those of the first parent that watchers are told of. */
const WATCHED = 3;

const casesOf = (world: World): readonly ListCase[] => [
  ...SEEN.map(count => ({
    name: `${count.toLocaleString('en')} of a parent`,
    ...{ who: world.sees(count), parent: FIRST, seen: world.seenBy(count) },
  })),
  { name: `\`*\`, ${SCATTERED} over all parents`, who: world.scatteredPerson, parent: '*', seen: world.scattered },
  { name: '100 of a parent, as a Table', who: world.sees(100), parent: FIRST, seen: world.seenBy(100), table: true },
  { name: 'all of a parent, by a binding in each', who: world.member, parent: FIRST, seen: world.first, besides: WATCHED },
  { name: 'all of a parent, by `system:admin`', who: world.administrator, parent: FIRST, seen: world.first, besides: WATCHED },
];

export async function measureLists(run: Run): Promise<ListResult[]> {
  await warmUp(run);
  const results: ListResult[] = [];
  for (const one of casesOf(run.world)) if (one.seen.length > 0) results.push(await measureList(run, one));
  results.push(await measurePages(run), await measureLatecomers(run));
  return results;
}

/** For the compiler: the first case must not be the one that pays for it. */
async function warmUp({ lister, pace, world }: Run): Promise<void> {
  for (let at = 0; at < pace.laterLists; at += 1) await lister.list(world.sees(10), pathOf(FIRST), { table: at % 2 === 0 });
}

async function measureList(run: Run, { besides = 0, name, parent, seen, table = false, who }: ListCase): Promise<ListResult> {
  const { lister, pace, revision, server } = run;
  const list = (): Promise<Listed> => lister.list(who, pathOf(parent), { table });
  const { bytes, text } = await list();
  const expected = seen.length + besides;
  expectSeen(name, text(), expected);
  const firsts: number[] = [];
  for (let at = 0; at < pace.firstLists; at += 1) {
    await server.write({ renew: seen, revision: revision() });
    firsts.push((await list()).milliseconds);
  }
  return { name, seen: expected, bytes, first: median(firsts), ...(await repeated(run, list)) };
}

/** Page after page, from the first again after the last. */
async function measurePages(run: Run): Promise<ListResult> {
  const { lister, world } = run;
  let next = '';
  const list = async (): Promise<Listed> => {
    const query = `?limit=${PAGE}${next && `&continue=${encodeURIComponent(next)}`}`;
    const page = await lister.list(world.member, pathOf(FIRST, query));
    next = /"continue":"([^"]*)"/.exec(page.text().slice(0, 2_000))?.[1] ?? '';
    return page;
  };
  const { bytes } = await list();
  const name = `a page of ${PAGE}, all of a parent, by a binding in each`;
  return { name, seen: Math.min(PAGE, world.inFirst + WATCHED), bytes, ...(await repeated(run, list)) };
}

/** Two who were let in, one after the other, when the objects had changed last: the same objects have other versions for each. */
async function measureLatecomers(run: Run): Promise<ListResult> {
  const { lister, server, world } = run;
  const seen = world.seenBy(100);
  const people = ['first', 'second'].map((which): Person => ({ ...world.sees(0), name: `${which}-latecomer@example.com` }));
  for (const { name } of people) {
    const grant = { name: `access-of-${name}`, role: ACCESS_ROLE, subjects: [`u:${name}`] };
    await server.write(...seen.map(index => ({ bind: grant, cluster: world.child(index).cluster })));
  }
  let turn = 0;
  const list = (): Promise<Listed> => {
    turn += 1;
    return lister.list(people[turn % 2] ?? world.member, pathOf(FIRST));
  };
  const { bytes, text } = await list();
  const name = `${seen.length} of a parent, two latecomers in turns`;
  expectSeen(name, text(), seen.length);
  return { name, seen: seen.length, bytes, ...(await repeated(run, list)) };
}

/** Of objects that have been asked for. */
async function repeated({ pace, server }: Run, list: () => Promise<Listed>): Promise<Pick<ListResult, 'later' | 'cpu'>> {
  for (let at = 0; at < FEWEST; at += 1) await list();
  const times: number[] = [];
  const cpu = await server.cpu();
  const began = performance.now();
  while (times.length < FEWEST || (times.length < pace.laterLists && performance.now() - began < pace.listTime)) {
    times.push((await list()).milliseconds);
  }
  return { later: timesOf(times), cpu: ((await server.cpu()) - cpu) / times.length };
}

function expectSeen(name: string, text: string, expected: number): void {
  const { items, rows } = JSON.parse(text) as { items?: unknown[]; rows?: unknown[] };
  const seen = (items ?? rows)?.length;
  if (seen !== expected) throw new Error(`${name}: ${seen} workspaces are seen, not ${expected}`);
}
