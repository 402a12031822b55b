/** Whose a resource of a logical cluster is: kept in the LogicalCluster, so that no two bindings (or CRDs) serve the same one. */
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { GroupResource } from './api-objects.ts';
import type { Loopback } from './loopback.ts';
import type { LogicalCluster } from './objects.ts';
import { LOGICAL_CLUSTERS } from './refs.ts';

export const LOCKS_ANNOTATION = 'internal.apis.kcp.io/resource-bindings';

/** Who has a resource: the binding of that name, or a CRD. */
export type Lock = { readonly n: string; readonly c?: never } | { readonly c: true; readonly n?: never };

type Locks = Readonly<Record<string, Lock>>;

const nameOf = ({ group, resource }: GroupResource): string => (group ? `${resource}.${group}` : resource);

const locksOf = ({ metadata }: LogicalCluster): Locks => JSON.parse(metadata.annotations?.[LOCKS_ANNOTATION] || '{}') as Locks;

function write(objects: Loopback, logicalCluster: LogicalCluster, locks: Locks): void {
  const sorted = Object.fromEntries(Object.entries(locks).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { metadata } = logicalCluster;
  const annotations = { ...metadata.annotations, [LOCKS_ANNOTATION]: JSON.stringify(sorted) };
  objects.update(LOGICAL_CLUSTERS, clusterOf(logicalCluster), { ...logicalCluster, metadata: { ...metadata, annotations } });
}

/** Takes what is free. Returns what others have, as Go prints it: `cowboys.wildwest.dev:{other false}`. */
export function lockResources(
  objects: Loopback,
  logicalCluster: LogicalCluster,
  owner: Lock,
  resources: readonly GroupResource[],
): ReadonlyMap<string, string> {
  const locks = { ...locksOf(logicalCluster) };
  const taken = new Map<string, string>();
  for (const name of resources.map(nameOf)) {
    const lock = locks[name];
    if (lock === undefined) locks[name] = owner;
    else if (lock.n !== owner.n) taken.set(name, `${name}:{${lock.n ?? ''} ${lock.c === true}}`);
  }
  if (Object.keys(locks).length > Object.keys(locksOf(logicalCluster)).length) write(objects, logicalCluster, locks);
  return taken;
}

/** Gives back all that a binding has, or what a CRD has. */
export function unlockResources(objects: Loopback, logicalCluster: LogicalCluster, owner: Lock, resource?: GroupResource): void {
  const locks = Object.entries(locksOf(logicalCluster));
  const isMeant = (name: string): boolean => resource === undefined || name === nameOf(resource);
  const others = locks.filter(([name, { n }]) => n !== owner.n || !isMeant(name));
  if (others.length < locks.length) write(objects, logicalCluster, Object.fromEntries(others));
}

export const isTaken = (taken: ReadonlyMap<string, string>, resource: GroupResource): boolean => taken.has(nameOf(resource));
