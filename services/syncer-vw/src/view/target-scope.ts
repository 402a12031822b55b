import { isMasters } from '@kcp-vw/shared/authn/identity.ts';
import type { Reviewer } from '@kcp-vw/shared/authz/reviewer.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { allow, type Call, type Decision, deny } from '@kcp-vw/shared/view/view.ts';
import { GROUP, RESOURCE, VERSION } from '../controllers/sync-target.ts';
import { type Consumers, type KnownSyncTarget, reaches, type SyncTargets } from '../knowledge/knowledge.ts';

/** Parameters of the path of both views. A type, not an interface: a scope is a plain record. */
export type TargetScope = {
  /** Of the SyncTarget: name of its logical cluster, its own name, its uid. */
  readonly stCluster: string;
  readonly stName: string;
  readonly stUID: string;
  /** Name of a logical cluster, or `*`. */
  readonly cluster: string;
};

export const TARGET_PATH = '/:stCluster/:stName/:stUID/clusters/:cluster';
export const ALL_CLUSTERS = '*';

/** Not a path, nor one of kcp's own logical clusters: no consumer has its objects there. */
const CLUSTER_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** What both views know of SyncTargets and their callers. */
export interface TargetDependencies {
  readonly targets: Pick<SyncTargets, 'get' | 'missing'>;
  readonly consumers: Pick<Consumers, 'letsIn'>;
  /** Asks the logical cluster that a target is in; undefined: it cannot be asked now. */
  readonly reviewerOf: (target: KnownSyncTarget) => Reviewer | undefined;
}

/** By the uid a syncer of one that was deleted does not get what its namesake has. */
export function targetOf(
  { stCluster, stName, stUID }: TargetScope,
  { targets }: Pick<TargetDependencies, 'targets'>,
): KnownSyncTarget | undefined {
  const target = targets.get(stCluster, stName);
  return target?.identity.uid === stUID ? target : undefined;
}

/** Undefined for whatever is not the path of a SyncTarget that is known: callers are not told which of all that it is. */
export function resolved(scope: TargetScope, dependencies: Pick<TargetDependencies, 'targets'>): TargetScope | undefined {
  const { stCluster, cluster } = scope;
  if (!CLUSTER_NAME.test(stCluster) || !(cluster === ALL_CLUSTERS || CLUSTER_NAME.test(cluster))) return undefined;
  if (dependencies.targets.missing() !== undefined) return undefined;
  return targetOf(scope, dependencies) && scope;
}

/**
 * Whoever may `sync` the target has all of its view, discovery included: what he may in logical clusters is not asked, nor is it enough to
 * read the target. A logical cluster that has not let the target in is nobody's here, not even masters'. Throws a StatusError when that
 * could not be reviewed.
 */
export async function authorize({ caller, scope }: Call<TargetScope>, dependencies: TargetDependencies): Promise<Decision> {
  const target = targetOf(scope, dependencies);
  if (target === undefined) return deny('the SyncTarget is gone', 'access denied');
  const decision = isMasters(caller) ? allow('system:masters') : await reviewed(caller, target, dependencies);
  const { cluster } = scope;
  if (!decision.allowed || cluster === ALL_CLUSTERS || reaches(dependencies.consumers, target.identity, cluster)) return decision;
  return deny(notReached(cluster, target));
}

async function reviewed(user: Call['caller'], target: KnownSyncTarget, { reviewerOf }: TargetDependencies): Promise<Decision> {
  const reviewer = reviewerOf(target);
  const { cluster, name } = target.identity;
  if (reviewer === undefined) throw serviceUnavailable(`nobody can be asked now who may sync the SyncTarget "${name}"`);
  const resource = { group: GROUP, version: VERSION, resource: RESOURCE, verb: 'sync', name };
  const { allowed } = await reviewer.review(cluster, { user, resource });
  // The review's own reason may speak of roles that the caller cannot see.
  return allowed ? allow(`may sync ${textOf(target)}`) : deny(`may not sync ${textOf(target)}`, 'access denied');
}

/** `<logical cluster>/<name>`. */
export const textOf = ({ identity: { cluster, name } }: Pick<KnownSyncTarget, 'identity'>): string => `${cluster}/${name}`;

export const notReached = (cluster: string, target: KnownSyncTarget): string =>
  `logical cluster "${cluster}" does not let in SyncTargets of "${target.identity.cluster}", as "${target.identity.name}" is`;
