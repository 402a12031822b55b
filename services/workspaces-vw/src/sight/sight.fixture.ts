/** Test equipment: snapshots written down, callers, and an index that holds what a test puts into it. */
import { asCaller, type Caller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { expired } from '@kcp-vw/shared/kube/errors.ts';
import type { Subject, WorkspaceObject } from '../index/facts.ts';
import type { Edges, Entrance, IndexEvent, Interest, Snapshot, WorkspaceIndex } from '../index/snapshot.ts';

export const edges = (since: Readonly<Record<Subject, bigint>> = {}): Edges => {
  const known = new Map(Object.entries(since));
  return {
    size: known.size,
    has: subject => known.has(subject),
    since: subject => known.get(subject),
    subjects: () => known.keys(),
  };
};

export const to = (...subjects: readonly Subject[]): Edges => edges(Object.fromEntries(subjects.map(subject => [subject, 1n])));

export const entranceOf = (cluster: string, changes: Partial<Entrance> = {}): Entrance => ({
  cluster,
  shard: 'alpha',
  open: true,
  edges: edges(),
  shardWide: edges(),
  version: 1n,
  ...changes,
});

export const snapshotOf = (parent: string, name: string, changes: Partial<Snapshot> = {}): Snapshot => {
  const objectVersion = changes.objectVersion ?? 2n;
  const metadata = { name, uid: `uid-${name}`, annotations: { 'kcp.io/cluster': parent } };
  return {
    parent,
    name,
    shard: 'alpha',
    object: { metadata: { ...metadata, resourceVersion: String(objectVersion) } } satisfies WorkspaceObject,
    upstreamVersion: '7',
    objectVersion,
    entrance: entranceOf(`c-${name}`),
    ...changes,
  };
};

/** Milliseconds since 1970: what time it is where a test says so. */
export const NOON = Date.parse('2026-01-01T12:00:00Z');

export const createdAt = (creationTimestamp: string | undefined, snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  object: {
    ...snapshot.object,
    metadata: { ...snapshot.object.metadata, ...(creationTimestamp !== undefined && { creationTimestamp }) },
  },
});

export const caller = (name: string, groups: readonly string[] = [], extra: Caller['extra'] = {}): Caller =>
  asCaller(identity(name, [...groups, 'system:authenticated'], '', extra), 'request-header');

export interface FakeIndex extends WorkspaceIndex {
  put(snapshot: Snapshot): void;
  remove(parent: string, name: string): void;
  enter(entrance: Entrance): void;
}

/** Begins at version 100; each change is one version. */
export function fakeIndex(): FakeIndex {
  const snapshots = new Map<string, Snapshot>();
  const entrances = new Map<string, Entrance>();
  const events: IndexEvent[] = [];
  const followers = new Set<{ readonly interest: Interest; readonly listener: (event: IndexEvent) => void }>();
  const keyOf = (parent: string, name: string): string => `${parent}/${name}`;
  const isIn = (parent: string | undefined, { before, after }: IndexEvent): boolean =>
    parent === undefined || (after ?? before)?.parent === parent;
  let version = 100n;

  function change(parent: string, name: string, after: Snapshot | undefined): void {
    const before = snapshots.get(keyOf(parent, name));
    if (after) snapshots.set(keyOf(parent, name), after);
    else snapshots.delete(keyOf(parent, name));
    version += 1n;
    const event = { version, ...(before && { before }), ...(after && { after }) };
    events.push(event);
    for (const { interest, listener } of [...followers]) {
      const isWanted = [before, after].some(snapshot => snapshot && isOfInterest(interest, snapshot));
      if (isWanted && isIn(interest.parent, event)) listener(event);
    }
  }

  const isOfInterest = (interest: Interest, { entrance, mount, creator }: Snapshot): boolean => {
    if (interest.subjects === undefined) return true;
    const { edges: own, shardWide } = mount ?? entrance;
    const isGranted = [...interest.subjects].some(subject => own.has(subject) || shardWide.has(subject));
    const isNamed = mount === undefined && [...(interest.clusters ?? [])].includes(entrance.cluster);
    return isGranted || isNamed || (creator !== undefined && creator.name === interest.creator);
  };

  return {
    get version() {
      return version;
    },
    put: snapshot => change(snapshot.parent, snapshot.name, snapshot),
    remove: (parent, name) => change(parent, name, undefined),
    enter: entrance => entrances.set(entrance.cluster, entrance),
    find: (parent, name) => snapshots.get(keyOf(parent, name)),
    byCluster: cluster => [...snapshots.values()].find(({ entrance, mount }) => !mount && entrance.cluster === cluster),
    entrance: cluster => entrances.get(cluster),
    candidates: interest =>
      [...snapshots]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, snapshot]) => snapshot)
        .filter(one => (interest.parent === undefined || one.parent === interest.parent) && isOfInterest(interest, one)),
    since(from, parent) {
      if (from < 100n || from > version) throw expired('too old');
      return events.filter(event => event.version > from && isIn(parent, event));
    },
    follow(interest, listener) {
      const follower = { interest, listener };
      followers.add(follower);
      return () => followers.delete(follower);
    },
    shardsOf: () => new Set(['alpha']),
    hasUnresolved: () => false,
    advance() {
      version += 1n;
      return version;
    },
    stats: () => ({ workspaces: snapshots.size, edges: 0, subjects: 0, followers: followers.size, kept: 0 }),
  };
}
