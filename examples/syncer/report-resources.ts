import { isDeepStrictEqual } from 'node:util';
import { type Verdict, withCondition } from '@kcp-vw/syncer-vw/controllers/conditions.ts';
import type { SyncedResource, SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import type { ServedResource } from './discover.ts';
import { CONFIG_MAPS, isSame, NAMESPACES, nameOf, PERSISTENT_VOLUMES, PODS, type Resource, SECRETS } from './resources.ts';
import type { SyncedResources } from './shard.ts';

/** Of every namespace that is synced, whatever the SyncTarget supports. */
export const ALWAYS_SYNCED: readonly SyncedResource[] = [NAMESPACES, CONFIG_MAPS, SECRETS].map(({ version, ...one }) => ({
  ...one,
  versions: [version],
}));

/** Names like `deployments.apps`; undefined: all. */
export type Wanted = ReadonlySet<string> | undefined;

const SYNCER_AUTHORIZED = 'SyncerAuthorized';

/**
 * What the syncer has to say of the resources in the status of its SyncTarget, as a JSON patch; undefined if it is there. With the version
 * that it was made for: whoever lists the resources may have changed them since, and the states would be of others then.
 */
export function reportPatch(
  target: SyncTarget,
  served: readonly ServedResource[],
  wanted: Wanted,
  now: number,
): readonly object[] | undefined {
  const present = target.status?.syncedResources ?? [];
  const states = present.flatMap((resource, index) => {
    const state = stateOf(resource, served, wanted);
    return resource.state === state ? [] : [{ op: 'add', path: `/status/syncedResources/${index}/state`, value: state }];
  });
  const before = target.status?.conditions ?? [];
  const conditions = withCondition(before, authorization(served), now);
  const changes = isDeepStrictEqual(before, conditions)
    ? states
    : [...states, { op: 'add', path: '/status/conditions', value: conditions }];
  if (changes.length === 0) return undefined;
  const { uid, resourceVersion } = target.metadata ?? {};
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ...changes,
  ];
}

function stateOf({ group = '', resource }: SyncedResource, served: readonly ServedResource[], wanted: Wanted): string {
  const found = served.find(one => isSame(one, { group, resource }));
  const isWanted = wanted === undefined || wanted.has(nameOf({ group, resource }));
  return isWanted && found?.authorized ? 'Accepted' : 'Incompatible';
}

function authorization(served: readonly ServedResource[]): Verdict {
  const refused = served.filter(({ authorized }) => !authorized).map(nameOf);
  if (refused.length === 0) return { type: SYNCER_AUTHORIZED, status: 'True' };
  return {
    type: SYNCER_AUTHORIZED,
    status: 'False',
    severity: 'Error',
    reason: 'SyncerUnauthorized',
    message: `The syncer may not do everything with ${refused.sort().join(', ')} in its cluster`,
  };
}

/** What never comes from upstream: pods and endpoints are made in the cluster, and volumes are its own storage. */
const NEVER_SYNCED = [PODS, { group: '', resource: 'endpoints' }, PERSISTENT_VOLUMES, NAMESPACES];

/**
 * What is synced now: what is accepted in the status, which is what the virtual workspaces serve, and what is always synced. Cluster-scoped
 * resources are not: two workspaces may have one of the same name.
 */
export function syncedResources(target: SyncTarget, served: readonly ServedResource[]): SyncedResources {
  const accepted = [...ALWAYS_SYNCED.map(one => ({ ...one, state: 'Accepted' })), ...(target.status?.syncedResources ?? [])];
  const isAccepted = (one: ServedResource): boolean =>
    accepted.some(({ group = '', resource, state }) => state === 'Accepted' && isSame(one, { group, resource }));
  const usable = served.filter(one => one.authorized && isAccepted(one));
  const isOneOf = (one: ServedResource, resources: readonly Pick<Resource, 'group' | 'resource'>[]): boolean =>
    resources.some(other => isSame(one, other));
  const plain = ({ group, version, resource }: Resource): Resource => ({ group, version, resource });
  return {
    synced: usable.filter(one => one.namespaced && !isOneOf(one, NEVER_SYNCED)).map(plain),
    upsynced: usable.filter(one => isOneOf(one, [PODS, PERSISTENT_VOLUMES])).map(plain),
  };
}
