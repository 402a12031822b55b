import { withCondition } from './conditions.ts';
import { isInactive } from './inactive-clusters.ts';
import { withPendingNames } from './logical-cluster-admission.ts';
import { INITIALIZER_LABEL_PREFIX, initializerLabel, TERMINATOR_LABEL_PREFIX, terminatorLabel } from './names.ts';
import type { LogicalCluster, Phase, Workspace } from './objects.ts';
import { OWNER_ANNOTATION, PHASE_LABEL, SHARD_ANNOTATION } from './refs.ts';

export const DELETION_FINALIZER = 'core.kcp.io/logicalcluster-deletion';
export const TERMINATORS_FINALIZER = 'kcp.io/has-terminators';

export interface ShardFacts {
  readonly shardName: string;
  readonly externalURL: string;
  readonly now?: () => Date;
}

/**
 * The labels as they follow from the status: phase, and one for each name that is waited for. Views select by them, so what they say is
 * always a moment old.
 */
export function lifecycleLabels({ metadata, status = {} }: LogicalCluster): Record<string, string> {
  const kept = Object.entries(metadata.labels ?? {}).filter(
    ([key]) => !key.startsWith(INITIALIZER_LABEL_PREFIX) && !key.startsWith(TERMINATOR_LABEL_PREFIX),
  );
  return {
    ...Object.fromEntries(kept),
    [PHASE_LABEL]: status.phase ?? '',
    ...Object.fromEntries((status.initializers ?? []).map(initializerLabel)),
    ...Object.fromEntries((status.terminators ?? []).map(terminatorLabel)),
  };
}

/** Once a workspace is Ready, only the name of its owner is still anybody's business. */
export function ownerAnnotation({ metadata, status }: LogicalCluster | Workspace): Record<string, string> {
  const recorded = metadata.annotations?.[OWNER_ANNOTATION];
  if (recorded === undefined || status?.phase !== 'Ready') return {};
  const { username } = JSON.parse(recorded) as { username?: string };
  return { [OWNER_ANNOTATION]: JSON.stringify({ username }) };
}

/** The object with the labels, annotations and finalizers that its status asks for. */
export function withLifecycleMetadata(object: LogicalCluster, { shardName }: ShardFacts): LogicalCluster {
  const { metadata, status } = object;
  const { finalizers: _finalizers, ...rest } = metadata;
  const finalizers = (metadata.finalizers ?? []).filter(finalizer => finalizer !== TERMINATORS_FINALIZER);
  if ((status?.terminators ?? []).length > 0) finalizers.push(TERMINATORS_FINALIZER);
  return {
    ...object,
    metadata: {
      ...rest,
      labels: lifecycleLabels(object),
      annotations: { ...metadata.annotations, ...ownerAnnotation(object), [SHARD_ANNOTATION]: shardName },
      // An empty list is stored as none.
      ...(finalizers.length > 0 && { finalizers }),
    },
  };
}

/** The phase that follows from what is still waited for. */
export function nextPhase(object: LogicalCluster): Phase {
  const { metadata, status = {} } = object;
  const { phase = 'Scheduling', initializers = [], terminators = [] } = status;
  if (metadata.deletionTimestamp) return terminators.length > 0 ? 'Terminating' : 'Deleting';
  if (phase === 'Scheduling') return 'Initializing';
  if (phase === 'Initializing' && initializers.length === 0) return 'Ready';
  if (phase === 'Ready' && isInactive(object)) return 'Inactive';
  if (phase === 'Inactive' && !isInactive(object)) return 'Ready';
  return phase;
}

/** The object with its next status: phase, condition and URL. */
export function withNextStatus(object: LogicalCluster, { externalURL, now }: ShardFacts, cluster: string): LogicalCluster {
  const { status = {} } = object;
  const phase = nextPhase(object);
  const next = withPendingNames({ ...object, status: { ...status, phase, URL: `${externalURL}/clusters/${cluster}` } }, object);
  const initializers = next.status?.initializers ?? [];
  if (metadataIsFinal(object) || (phase !== 'Initializing' && status.phase !== 'Initializing')) return next;
  // At the transition itself nothing is said yet: the next look finds the names in the status.
  if (status.phase !== 'Initializing') return next;
  const conditions = withCondition(
    status.conditions,
    phase === 'Ready'
      ? { type: 'WorkspaceInitialized', status: 'True' }
      : {
          type: 'WorkspaceInitialized',
          status: 'False',
          severity: 'Info',
          reason: 'InitializerExists',
          message: `Initializers still exist: [${initializers.join(' ')}]`,
        },
    now,
  );
  return { ...next, status: { ...next.status, conditions } };
}

const metadataIsFinal = ({ metadata }: LogicalCluster): boolean => Boolean(metadata.deletionTimestamp);
