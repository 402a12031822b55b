import { isRecord, textOf } from '@kcp-vw/shared/authn/records.ts';
import { CLUSTER_NAME_KEY, SERVICE_ACCOUNT_PREFIX } from '@kcp-vw/shared/authn/service-account-name.ts';
import type { ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import type { WorkspaceObject } from './facts.ts';
import type { Snapshot } from './snapshot.ts';

/** Where kcp notes who has created a workspace, with all his groups and extras: JSON. */
export const OWNER_ANNOTATION = 'experimental.tenancy.kcp.io/owner';

/** A Workspace of one shard, taken apart once. */
export interface ReadObject {
  readonly uid: string;
  readonly upstreamVersion: string;
  /** As snapshots have it, but for the resourceVersion. */
  readonly object: WorkspaceObject;
  readonly ownerAnnotation?: string;
  readonly creator?: NonNullable<Snapshot['creator']>;
}

export function readObject(given: WorkspaceObject): ReadObject {
  const owner = given.metadata?.annotations?.[OWNER_ANNOTATION];
  const creator = isOnItsWay(given) && owner !== undefined ? creatorOf(owner) : undefined;
  const typed = { apiVersion: given.apiVersion ?? 'tenancy.kcp.io/v1alpha1', kind: given.kind ?? 'Workspace', ...given };
  return {
    uid: given.metadata?.uid ?? '',
    upstreamVersion: given.metadata?.resourceVersion ?? '',
    object: owner === undefined ? typed : { ...typed, metadata: withoutOwner(given.metadata) },
    ...(owner !== undefined && { ownerAnnotation: owner }),
    ...(creator && { creator }),
  };
}

function withoutOwner({ annotations, ...metadata }: ObjectMeta = {}): ObjectMeta {
  const { [OWNER_ANNOTATION]: _, ...others } = annotations ?? {};
  return Object.keys(others).length === 0 ? metadata : { ...metadata, annotations: others };
}

export const withVersion = (object: WorkspaceObject, version: bigint): WorkspaceObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(version) },
});

/** Later the creator's bindings decide, as everybody's. */
function isOnItsWay({ status }: WorkspaceObject): boolean {
  const phase = status?.phase ?? '';
  return phase === '' || phase === 'Scheduling' || phase === 'Initializing';
}

function creatorOf(annotation: string): Snapshot['creator'] {
  const user = parsed(annotation);
  const name = textOf(user, 'username');
  if (!name) return undefined;
  if (!name.startsWith(SERVICE_ACCOUNT_PREFIX)) return { name };
  // Accounts of all logical clusters share their names: one of which it is not known where it lives is nobody.
  const clusters = isRecord(user) && isRecord(user.extra) ? user.extra[CLUSTER_NAME_KEY] : undefined;
  const cluster: unknown = Array.isArray(clusters) ? clusters[0] : undefined;
  return typeof cluster === 'string' && cluster !== '' ? { name, cluster } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever may write the workspace may write this: what is no JSON names nobody.
    return undefined;
  }
}

/** The logical cluster that a workspace says it is; empty: it is not scheduled yet, or a mount. */
export const clusterOfWorkspace = ({ spec }: WorkspaceObject): string => spec?.cluster ?? '';

/** What somebody else serves under the name of a workspace: there is no logical cluster to it. */
export const isMount = (object: WorkspaceObject): boolean =>
  clusterOfWorkspace(object) === '' && object.spec?.mount !== undefined && object.spec.mount !== null;

/** On the way out nothing is missing when the logical cluster has gone before the workspace. */
export const isBeingDeleted = ({ metadata, status }: WorkspaceObject): boolean =>
  Boolean(metadata?.deletionTimestamp) || status?.phase === 'Terminating' || status?.phase === 'Deleting';
