import { pathOf, Watches } from '../client.ts';
import type { Write } from '../protocol.ts';
import type { ChangeResult } from '../results.ts';
import { type Run, timesOf } from '../run.ts';
import { ACCESS_ROLE, type Person, TEN, type World } from '../world.ts';

const HUNDRED = 100;

/** What lets somebody in and out again. */
interface Change {
  readonly name: string;
  readonly parent: string;
  readonly lines: number;
  readonly isShardWide?: boolean;
  readonly before: readonly Write[];
  readonly to: (on: boolean) => Write;
}

/** Who may enter the parents, and nothing in them until a change lets him. */
const guestOf = (world: World): Person => ({ ...world.sees(0), name: 'guest@example.com' });

function changesOf(world: World, { name: guest }: Person): readonly Change[] {
  const [alone = 0, ...others] = world.first.slice(1);
  const { cluster } = world.child(alone);
  const ten = others.slice(0, TEN).map(index => world.child(index).cluster);
  const subjects = [`u:${guest}`, ...Array.from({ length: HUNDRED - 1 }, (_, at) => `u:other-${at}@example.com`)];
  const binding = (where: string, name: string, count: number) => (on: boolean) => ({
    ...{ cluster: where, bind: { name, role: ACCESS_ROLE, subjects: on ? subjects.slice(0, count) : [] } },
  });
  const role = (where: string, name: string) => (access: boolean) => ({ cluster: where, role: name, access });
  const parent = 'root:org-00';
  return [
    { name: 'a binding of one subject', parent, lines: 1, before: [], to: binding(cluster, 'one', 1) },
    { name: 'a binding of 100 subjects', parent, lines: 1, before: [], to: binding(cluster, 'hundred', HUNDRED) },
    {
      ...{ name: 'a role that 10 bindings name', parent, lines: 1 },
      before: subjects
        .slice(0, TEN)
        .map((subject, at) => ({ cluster, bind: { name: `flip-${at}`, role: 'flip', subjects: [subject] } })),
      to: role(cluster, 'flip'),
    },
    {
      ...{ name: 'a role of `system:admin`, bound in 10 workspaces', parent, lines: TEN },
      before: ten.map(where => ({ cluster: where, bind: { name: 'wide', role: 'wide-flip', subjects: subjects.slice(0, 1) } })),
      to: role('system:admin', 'wide-flip'),
    },
    {
      ...{ name: 'a binding of `system:admin`', parent: 'root:small', lines: TEN, isShardWide: true, before: [] },
      to: binding('system:admin', 'everywhere', 1),
    },
  ];
}

export async function measureChanges(run: Run): Promise<ChangeResult[]> {
  const { server, world } = run;
  const guest = guestOf(world);
  const enter = { name: 'guest', role: ACCESS_ROLE, subjects: [`u:${guest.name}`] };
  const parents = [world.orgs[0], world.smallOrg].filter(org => org !== undefined);
  await server.write(...parents.map(({ cluster }) => ({ cluster, bind: enter })));
  const results: ChangeResult[] = [];
  for (const change of changesOf(world, guest)) results.push(await measureChange(run, change, guest));
  return results;
}

async function measureChange(
  run: Run,
  { before, isShardWide, lines, name, parent, to }: Change,
  who: Person,
): Promise<ChangeResult> {
  const { pace, server, socketPath } = run;
  await server.write(...before);
  const watches = new Watches(socketPath);
  try {
    await watches.open(who, parent, await versionFor(run, who, parent));
    const samples = isShardWide ? pace.shardWideChanges : pace.changes;
    const writes: number[] = [];
    const arrivals: number[] = [];
    // The first two are for the compiler.
    for (let at = 0; at < samples + 2; at += 1) {
      const arrived = watches.next(lines);
      const [{ began, took }] = await Promise.all([server.write(to(at % 2 === 0)), arrived]);
      if (at < 2) continue;
      writes.push(took);
      arrivals.push(Number((watches.arrivals.at(-1) ?? 0n) - BigInt(began)) / 1e6);
    }
    return { name, lines, write: timesOf(writes), arrival: timesOf(arrivals) };
  } finally {
    watches.close();
  }
}

/** Of a list that he gets now. */
export async function versionFor({ lister }: Run, who: Person, parent: string): Promise<string> {
  const listed = await lister.list(who, pathOf(parent, '?limit=1'));
  return (JSON.parse(listed.text()) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}
