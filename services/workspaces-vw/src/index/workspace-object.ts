import { isRecord, textOf } from '@kcp-vw/shared/authn/records.ts';
import { CLUSTER_NAME_KEY, SERVICE_ACCOUNT_PREFIX } from '@kcp-vw/shared/authn/service-account-name.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
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
  /** Bytes, estimated. */
  readonly size: number;
  readonly creator?: NonNullable<Snapshot['creator']>;
}

export function readObject(given: WorkspaceObject): ReadObject {
  const owner = given.metadata?.annotations?.[OWNER_ANNOTATION];
  const creator = isOnItsWay(given) && owner !== undefined ? creatorOf(owner) : undefined;
  const typed = { apiVersion: given.apiVersion ?? 'tenancy.kcp.io/v1alpha1', kind: given.kind ?? 'Workspace', ...given };
  return {
    uid: given.metadata?.uid ?? '',
    upstreamVersion: given.metadata?.resourceVersion ?? '',
    size: sizeOf(given),
    object: withoutOwnerRecord(typed),
    ...(owner !== undefined && { ownerAnnotation: owner }),
    ...(creator && { creator }),
  };
}

/** Of a member of an object or a list, without its texts. */
const MEMBER = 32;

function sizeOf(object: unknown): number {
  let size = 0;
  const open: unknown[] = [object];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') size += next.length;
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, value] of Object.entries(next)) {
      size += MEMBER + key.length;
      open.push(value ?? null);
    }
  }
  return size;
}

/** Where `kubectl apply` notes what it was given, annotations and all. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without the record of its owner, wherever it has one: whoever applied what he had read before has it twice. The same object if it has none. */
export function withoutOwnerRecord<T extends KubeObject>(object: T): T {
  const { annotations = {}, ...metadata } = object.metadata ?? {};
  const isApplied = annotations[LAST_APPLIED]?.includes(OWNER_ANNOTATION) ?? false;
  if (annotations[OWNER_ANNOTATION] === undefined && !isApplied) return object;
  const { [OWNER_ANNOTATION]: _, ...others } = annotations;
  if (isApplied) delete others[LAST_APPLIED];
  return { ...object, metadata: Object.keys(others).length === 0 ? metadata : { ...metadata, annotations: others } };
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

/** What somebody else serves under the name of a workspace: there is no logical cluster to it, whatever it says. Anybody may write it. */
export const isMount = ({ spec }: WorkspaceObject): boolean => spec?.mount !== undefined && spec.mount !== null;

/** The logical cluster that a workspace says it is; empty: it is not scheduled yet, or a mount. */
export const clusterOfWorkspace = (object: WorkspaceObject): string => (isMount(object) ? '' : (object.spec?.cluster ?? ''));

/** On the way out nothing is missing when the logical cluster has gone before the workspace. */
export const isBeingDeleted = ({ metadata, status }: WorkspaceObject): boolean =>
  Boolean(metadata?.deletionTimestamp) || status?.phase === 'Terminating' || status?.phase === 'Deleting';
