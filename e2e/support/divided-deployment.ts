/** A Deployment in workspaces of all shards, divided between two SyncTargets whose syncers are processes of their own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { eventually } from './eventually.ts';
import {
  type Copy,
  type DeploymentStatus,
  deploymentsOf,
  namespaceIn,
  type PhysicalCluster,
  reportAll,
  statusOf,
} from './physical-cluster.ts';
import { SyncerProcess } from './syncer-process.ts';
import { type Consumer, storedIn } from './syncing.ts';
import { expectedView } from './syncing-oracle.ts';
import type { Synced } from './syncing-shown.ts';
import { type CreatedSyncTarget, createSyncTarget, viewsOf } from './syncing-targets.ts';

/** A real kcp takes its time for namespaces that are deleted, and two cores for many processes. */
export const PATIENCE = 90_000;

/** One of the two: what it is called upstream, what is there, and what is between them. */
export interface Side {
  of: CreatedSyncTarget;
  readonly cluster: PhysicalCluster;
  syncer: SyncerProcess;
}

export async function beginSide(name: string, mark: string, cluster: PhysicalCluster): Promise<Side> {
  const of = await createSyncTarget({ name, mark });
  return { of, cluster, syncer: new SyncerProcess(of, cluster) };
}

/** The Deployments of one name and namespace. */
export interface Division {
  readonly sides: readonly Side[];
  readonly consumers: readonly Consumer[];
  readonly namespace: string;
  /** Of the Deployment, in each consumer. */
  readonly path: string;
}

/** Of so many replicas: the first by key has what is left. */
export function shares(replicas: number, among: readonly Side[]): ReadonlyMap<Side, number> {
  const inOrder = [...among].sort((a, b) => (a.of.key < b.of.key ? -1 : 1));
  const each = Math.floor(replicas / among.length);
  return new Map(inOrder.map((side, i) => [side, i === 0 ? replicas - each * (among.length - 1) : each]));
}

/** The copy that a side has for a consumer now; undefined: none. */
export async function copyOn(
  { of, cluster }: Side,
  consumer: Consumer,
  { namespace: name }: Division,
): Promise<Copy | undefined> {
  const namespace = await namespaceIn(cluster, { cluster: consumer.cluster, namespace: name, uid: of.uid });
  return (await deploymentsOf(cluster)).find(({ metadata }) => metadata?.namespace === namespace?.metadata?.name);
}

/** What a side is shown is what follows from what is stored, in the same version. */
export async function expectTrueView({ of }: Side, consumer: Consumer, { path }: Division): Promise<Synced | undefined> {
  const { syncer } = await viewsOf(of, consumer.shard);
  const stored = await storedIn(consumer, path);
  const view = await syncer.at(`/clusters/${consumer.cluster}`).get(path);
  const expected = expectedView(stored, of.key);
  if (expected === 'hidden') {
    view.expect(404);
    return undefined;
  }
  const shown = view.expect(200).json<Synced>();
  expect(shown).toEqual(expected);
  return shown;
}

/** Waits until these sides have their shares of so many replicas, in their views and in their clusters, and others have nothing. */
export async function untilDivided(
  division: Division,
  replicas: number,
  among: readonly Side[],
  of: readonly Consumer[] = division.consumers,
): Promise<void> {
  const wanted = shares(replicas, among);
  for (const consumer of of) {
    await eventually(
      `${replicas} replicas of ${consumer.path} on ${among.map(side => side.of.name).join(' and ')}`,
      async () => {
        for (const side of division.sides) {
          const view = await expectTrueView(side, consumer, division);
          const copy = await copyOn(side, consumer, division);
          expect([view?.spec?.replicas, copy?.spec?.replicas]).toEqual([wanted.get(side), wanted.get(side)]);
        }
      },
      PATIENCE,
    );
  }
}

/** Has clusters say how many pods are missing on each side, and waits until all of it is told upstream. */
export async function untilReported(division: Division, missing: ReadonlyMap<Side, number>): Promise<void> {
  for (const consumer of division.consumers) {
    await eventually(
      `the statuses of ${consumer.path}`,
      async () => {
        for (const [side, count] of missing) await reportAll(side.cluster, count);
        const statuses: DeploymentStatus[] = [];
        for (const [side, count] of missing) {
          const copy = await copyOn(side, consumer, division);
          if (copy === undefined) throw new Error(`no copy on ${side.of.name}`);
          const view = await expectTrueView(side, consumer, division);
          expect(copy.status).toEqual(statusOf(copy, count));
          expect(view?.status).toEqual(copy.status);
          statuses.push(statusOf(copy, count));
        }
        expect(await storedIn(consumer, division.path)).toMatchObject({ status: summed(statuses) });
      },
      PATIENCE,
    );
  }
}

/** What a user is to see of what clusters have said. */
function summed(statuses: readonly DeploymentStatus[]): object {
  const sum = (field: 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'): number =>
    statuses.reduce((total, status) => total + (status[field] ?? 0), 0);
  const isAvailable = statuses.some(({ conditions }) => conditions?.[0]?.status === 'True');
  return {
    replicas: sum('replicas'),
    updatedReplicas: sum('updatedReplicas'),
    readyReplicas: sum('readyReplicas'),
    availableReplicas: sum('availableReplicas'),
    conditions: [
      { type: 'Available', status: isAvailable ? 'True' : 'False' },
      { type: 'Progressing', status: 'True' },
    ],
  };
}

/** Kills the syncer of a side again and again while its cluster says something else all the time, and leaves one that runs. */
export async function killWhileReporting(side: Side, times: number): Promise<void> {
  let isOver = false;
  const talk = async (): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      await reportAll(side.cluster, i % 3);
      await sleep(20);
    }
  };
  const talking = talk();
  try {
    for (let i = 0; i < times; i++) {
      await eventually('the begin of the syncer', async () => expect(side.syncer.said).toContain('serving'), PATIENCE);
      await sleep(Math.random() * 500);
      await side.syncer.kill();
      side.syncer = new SyncerProcess(side.of, side.cluster);
    }
  } finally {
    isOver = true;
    await talking;
  }
}
