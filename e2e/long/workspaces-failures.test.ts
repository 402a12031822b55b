/**
 * A shard that restarts, is away, hangs, or forgets what was: whoever asks meanwhile is shown what is so, or is told to come again. Never is
 * a list shown that lacks what is on the shard that is not heard. It runs alone, since it does all that to the shards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { restartRootShard } from '../registration/root-shard.ts';
import type { Client } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { atShard, masters, target } from '../support/identities.ts';
import type { Workspace } from '../support/kube.ts';
import { processes, stateOf } from '../support/operations.ts';
import { processOfShard } from '../support/shard-process.ts';
import { closeWatches } from '../support/watch.ts';
import { createParent } from '../support/workspaces.ts';
import {
  createReady,
  describeWorkspacesView,
  EVERYWHERE,
  letIn,
  oracleOf,
  shownNames,
  somebody,
  userSubject,
  viewOfWorkspaces,
  WORKSPACES,
} from '../support/workspaces-view.ts';
import { Follower, Poll, WAYS } from '../support/workspaces-witnesses.ts';
import type { TargetShard } from '../target.ts';

const [root, second = root] = target.shards;
const isDevShard = target.testServerPid === undefined;
const ROUNDS = 6;
/** Shards may be out of touch for ten seconds before nothing is said about them any more. */
const STALE_WITHIN = 30_000;

interface Failure {
  readonly what: string;
  begin(shard: TargetShard): Promise<void>;
  end(shard: TargetShard): Promise<void>;
}

const faults = (shard: TargetShard): Client => atShard(masters, shard).at('/faults');
const setFaults = async (shard: TargetShard, wanted: object): Promise<void> => {
  (await faults(shard).put('', wanted)).expect(200);
};

const OF_DEV_SHARDS: readonly Failure[] = [
  {
    what: 'is away',
    async begin(shard) {
      await setFaults(shard, { resets: Number.MAX_SAFE_INTEGER });
      (await faults(shard).post('/disconnect', {})).expect(202);
    },
    end: shard => setFaults(shard, {}),
  },
  { what: 'answers nobody', begin: shard => setFaults(shard, { latency: 5_000 }), end: shard => setFaults(shard, {}) },
];

const signal = (shard: TargetShard, name: 'SIGSTOP' | 'SIGCONT'): void => {
  const pid = processOfShard(shard.name);
  if (pid === undefined) throw new Error(`the shard ${shard.name} is no process of its own`);
  process.kill(pid, name);
};

const OF_PROCESSES: readonly Failure[] = [
  { what: 'is stopped', begin: async shard => signal(shard, 'SIGSTOP'), end: async shard => signal(shard, 'SIGCONT') },
];

const describeSeveral = target.shards.length > 1 ? describe : describe.skip;
const devShardTest = isDevShard ? test : test.skip;

describeWorkspacesView('the workspaces that somebody is shown', () => {
  const member = somebody('member');
  /** On the root shard with a workspace on each; on the second one with a workspace there; on the root shard with all that is in it. */
  let [both, there, here] = ['', '', ''];
  let [near, far, inThere, inHere] = [] as unknown as [Workspace, Workspace, Workspace, Workspace];
  let pids: readonly number[];
  const followers: Follower[] = [];
  const running: { stop(): Promise<void> }[] = [];
  const pidsOfOurs = (): Promise<readonly number[]> => Promise.all(processes.map(async name => (await stateOf(name)).pid));
  const parents = () => [
    { parent: both, names: [near, far].map(({ metadata }) => metadata.name).sort() },
    { parent: there, names: [inThere.metadata.name] },
    { parent: here, names: [inHere.metadata.name] },
    { parent: EVERYWHERE, names: everywhere },
  ];
  let everywhere: readonly string[];

  beforeAll(async () => {
    [both, there, here] = await Promise.all([createParent(), createParent(second.name), createParent()]);
    [near, far, inThere, inHere] = await Promise.all([
      createReady(both),
      createReady(both, second),
      createReady(there, second),
      createReady(here),
    ]);
    for (const { spec } of [near, far, inThere, inHere]) await letIn(spec.cluster, userSubject(member.name));
    for (const { road, to } of WAYS) {
      for (const { parent, names } of parents().slice(0, 3)) {
        await eventually(`sight by ${road}`, async () => expect(await shownNames(member, parent, to)).toEqual(names));
      }
    }
    // Sorted by the names of their parents' logical clusters, which nobody chooses.
    everywhere = await shownNames(member, EVERYWHERE);
    // Besides there may be what others have opened to everybody who has logged in.
    expect(everywhere).toEqual(expect.arrayContaining([near, far, inThere, inHere].map(({ metadata }) => metadata.name)));
    for (const { parent } of parents().slice(0, 3)) followers.push(started(new Follower(viewOfWorkspaces(member, parent))));
    pids = await pidsOfOurs();
  }, 240_000);

  beforeEach(untilAllIsShown, 60_000);
  afterEach(async () => expect(await pidsOfOurs()).toEqual(pids));
  afterAll(async () => {
    closeWatches();
    await Promise.all(running.map(one => one.stop()));
  });

  /** Ends with the tests at the latest. */
  function started<T extends { stop(): Promise<void> }>(one: T): T {
    running.push(one);
    return one;
  }

  /** Everything, on all ways. */
  async function untilAllIsShown(): Promise<void> {
    for (const { road, to } of WAYS) {
      for (const { parent, names } of parents()) {
        if (parent === EVERYWHERE && road === "kcp's front proxy") continue;
        const shown = () => shownNames(member, parent, to);
        await eventually(`sight of ${parent} by ${road}`, async () => expect(await shown()).toEqual(names), 60_000);
      }
    }
  }

  /** Everything is shown again, and watches go on. */
  async function expectAllIsWell(): Promise<void> {
    await untilAllIsShown();
    for (const { parent } of parents().slice(0, 3)) {
      expect(await oracleOf(member, parent)).toEqual(parents().find(one => one.parent === parent)?.names);
    }
    const [ofBoth] = followers;
    const another = somebody('another');
    const watch = await eventually('a watch', () => viewOfWorkspaces(member, both).watch(WORKSPACES));
    const revoke = await eventually('a grant', () => letIn(far.spec.cluster, userSubject(another.name)));
    await eventually('sight', async () => expect(await shownNames(another, both)).toEqual([far.metadata.name]));
    await revoke();
    await eventually('refusal', async () => (await viewOfWorkspaces(another, both).get(WORKSPACES)).expect(403));
    const key = `seen-${followers.length}-${Date.now()}`;
    await eventually('a change', async () =>
      (
        await viewOfWorkspaces(masters, both).mergePatch(`${WORKSPACES}/${far.metadata.name}`, {
          metadata: { labels: { [key]: '' } },
        })
      ).expect(200),
    );
    await watch.until('the change', ({ type, object }) => type === 'MODIFIED' && object.metadata?.labels?.[key] === '');
    await eventually('the change', async () => {
      expect(ofBoth?.known.get(far.metadata.name)?.metadata.labels).toHaveProperty(key);
    });
    watch.close();
    for (const [i, { names }] of parents().slice(0, 3).entries())
      expect([...(followers[i]?.known.keys() ?? [])].sort()).toEqual(names);
  }

  const told = (what: string, { answers, refusals }: Poll): void => {
    const counts = parents().map(({ parent }) => refusals.get(parent) ?? 0);
    process.stdout.write(`${what}: ${answers} answers; refused with 503, by parent: ${counts.join(', ')}\n`);
  };

  test('are right, or nothing is said, while the root shard restarts', async () => {
    const poll = started(new Poll(member, parents()));
    await restartRootShard();
    await sleep(2_000);
    await expectAllIsWell();
    await poll.stop();
    told('the root shard restarts', poll);
    expect(poll.wrong).toEqual([]);
  }, 240_000);

  describeSeveral.each(isDevShard ? OF_DEV_SHARDS : OF_PROCESSES)('while the second shard $what', failure => {
    test('are right where it is not needed, and not told where it is, until it is back', async () => {
      const poll = started(new Poll(member, parents()));
      const quiet = await viewOfWorkspaces(member, here).watch(WORKSPACES);
      const ends = await Promise.all([both, there, EVERYWHERE].map(parent => viewOfWorkspaces(member, parent).watch(WORKSPACES)));
      await failure.begin(second);
      try {
        for (const { to } of WAYS) {
          for (const parent of [both, there]) {
            const refused = async () => (await to(member, parent).get(WORKSPACES)).expect(503);
            await eventually(`refusal of ${parent}`, refused, STALE_WITHIN);
          }
        }
        const everything = viewOfWorkspaces(member, EVERYWHERE);
        await eventually('refusal of all', async () => (await everything.get(WORKSPACES)).expect(503), STALE_WITHIN);
        for (const watch of ends) await watch.untilEnded(STALE_WITHIN);
        expect(await shownNames(member, here)).toEqual([inHere.metadata.name]);
        expect(quiet.ended).toBe(false);
        // Whoever would be refused might have been let in meanwhile, wherever that is, and learns nothing of where a parent is.
        const refusals = [both, there, here, 'root:nosuchworkspace'].map(async parent =>
          (await viewOfWorkspaces(somebody('nobody'), parent).get(WORKSPACES)).expect(503),
        );
        expect(new Set((await Promise.all(refusals)).map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
      } finally {
        await failure.end(second);
      }
      await expectAllIsWell();
      await poll.stop();
      told(`the second shard ${failure.what}`, poll);
      expect(poll.wrong).toEqual([]);
      expect(poll.refusals.get(here)).toBeUndefined();
      expect(quiet.ended).toBe(false);
    }, 240_000);
  });

  devShardTest(
    'are right after the shards have restarted, cut everything and forgotten what was, again and again',
    async () => {
      const poll = started(new Poll(member, parents()));
      const visitor = somebody('visitor');
      await letIn(both, userSubject(visitor.name));
      await eventually('entrance', async () => expect(await shownNames(visitor, both)).toEqual([]));
      const follower = started(new Follower(viewOfWorkspaces(visitor, both)));
      for (let round = 0; round < ROUNDS; round++) {
        const revoke = await eventually('a grant', () => letIn(far.spec.cluster, userSubject(visitor.name)));
        for (const shard of target.shards) (await faults(shard).post('/compact', {})).expect(202);
        for (const shard of target.shards)
          (await faults(shard).post(round % 3 === 0 ? '/restart' : '/disconnect', {})).expect(202);
        await eventually('the grant', async () => expect(await shownNames(visitor, both)).toEqual([far.metadata.name]));
        await eventually('the grant', async () => expect([...follower.known.keys()]).toEqual([far.metadata.name]));
        await eventually('the end of a grant', revoke);
        for (const shard of target.shards) (await faults(shard).post('/compact', {})).expect(202);
        for (const shard of target.shards) (await faults(shard).post('/disconnect', {})).expect(202);
        await eventually('the revocation', async () => expect(await shownNames(visitor, both)).toEqual([]));
        await eventually('the revocation', async () => expect([...follower.known.keys()]).toEqual([]));
      }
      await follower.stop();
      await expectAllIsWell();
      await poll.stop();
      told('the shards restart and forget', poll);
      expect(poll.wrong).toEqual([]);
    },
    240_000,
  );
});
