import { GROUP_MASTERS } from '@kcp-vw/shared/authn/identity.ts';
import { invalid, StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Write } from '../store/definition.ts';
import { BOOTSTRAPPER_GROUP, EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP, LOGICAL_CLUSTER_ADMIN_GROUP } from './bootstrap-policy.ts';
import type { LogicalCluster, Phase } from './objects.ts';
import { LOGICAL_CLUSTER_NAME } from './refs.ts';

/** What a name in the lists of a LogicalCluster may look like. The alternatives are not anchored together: `x:y, z` passes, as with kcp. */
const NAME_PATTERN =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(:[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[a-z0-9][a-z0-9]([-a-z0-9]*[a-z0-9])?))|(system:.+)$';
const NAME = new RegExp(NAME_PATTERN);

const PHASES: readonly string[] = [
  'Scheduling',
  'Initializing',
  'Ready',
  'Unavailable',
  'Inactive',
  'Terminating',
  'Deleting',
] satisfies Phase[];

/** A phase of these does not return to an earlier one. Others are no part of the order. */
const ORDER: readonly string[] = ['', 'Scheduling', 'Initializing', 'Ready'];

const PRIVILEGED = [GROUP_MASTERS, LOGICAL_CLUSTER_ADMIN_GROUP, EXTERNAL_LOGICAL_CLUSTER_ADMIN_GROUP, BOOTSTRAPPER_GROUP];

const KIND = { group: 'core.kcp.io', kind: 'LogicalCluster' };

/** The rules of the CRD's schema that somebody runs into: 422 with the texts of an API server. */
export function validateLogicalCluster(object: KubeObject): void {
  const { metadata, spec, status } = object as LogicalCluster;
  const causes: { field: string; value: unknown; detail: string }[] = [];
  if (metadata.name !== LOGICAL_CLUSTER_NAME) {
    causes.push({ field: 'metadata.name', value: metadata.name, detail: 'must be "cluster"' });
  }
  for (const [section, lists] of Object.entries({ spec, status })) {
    for (const list of ['initializers', 'terminators'] as const) {
      const names: unknown = lists?.[list] ?? [];
      const field = `${section}.${list}`;
      if (!Array.isArray(names)) {
        causes.push({ field, value: names, detail: `${list} in body must be of type array: ${JSON.stringify(typeof names)}` });
        continue;
      }
      names.forEach((name: unknown, i) => {
        if (typeof name === 'string' && NAME.test(name)) return;
        causes.push({ field: `${field}[${i}]`, value: name, detail: `${list}[${i}] in body should match '${NAME_PATTERN}'` });
      });
    }
  }
  const phase: unknown = status?.phase ?? 'Scheduling';
  if (typeof phase !== 'string' || !PHASES.includes(phase)) {
    causes.push({ field: 'status.phase', value: phase, detail: `supported values: ${PHASES.map(p => `"${p}"`).join(', ')}` });
  }
  if (causes.length > 0) throw invalid(KIND, metadata.name ?? '', causes);
}

/** On the way into the phase Initializing the names that are waited for go from specification to status. */
export function withPendingNames(next: LogicalCluster, previous: LogicalCluster | undefined): LogicalCluster {
  if (next.status?.phase !== 'Initializing' || previous?.status?.phase === 'Initializing') return next;
  const { initializers, terminators } = next.spec ?? {};
  const { initializers: _initializers, terminators: _terminators, ...status } = next.status;
  return { ...next, status: { ...status, ...(initializers && { initializers }), ...(terminators && { terminators }) } };
}

/** Admission of writes through the API. Throws a StatusError 403 for what only kcp itself may do. */
export function admitLogicalCluster(object: KubeObject, write: Write): KubeObject {
  const next = object as LogicalCluster;
  const previous = write.previous as LogicalCluster | undefined;
  const admitted = write.verb === 'update' ? withPendingNames(next, previous) : withDefaults(next, write);
  if (!write.user.groups.some(group => PRIVILEGED.includes(group))) refuseUnprivileged(admitted, previous, write);
  return admitted;
}

const DELETION_FINALIZER = 'core.kcp.io/logicalcluster-deletion';

function withDefaults(object: LogicalCluster, { verb }: Write): LogicalCluster {
  if (verb !== 'create') return object;
  const finalizers = [...new Set([...(object.metadata.finalizers ?? []), DELETION_FINALIZER])];
  return { ...object, metadata: { ...object.metadata, finalizers }, spec: { directlyDeletable: false, ...object.spec } };
}

function refuseUnprivileged(next: LogicalCluster, previous: LogicalCluster | undefined, { verb }: Write): void {
  if (verb === 'create') throw notAllowed('LogicalCluster cannot be created');
  if (verb === 'delete') {
    if (previous?.spec?.directlyDeletable !== true) throw notAllowed('LogicalCluster cannot be deleted');
    return;
  }
  const before = lists(previous);
  const after = lists(next);
  if (!sameNames(before.spec, after.spec)) throw notAllowed('spec.initializers is immutable');
  const phase = next.status?.phase ?? '';
  if (phase === 'Initializing' && previous?.status?.phase === 'Initializing' && !contains(before.status, after.status)) {
    throw notAllowed('status.initializers must not grow');
  }
  if (phase !== 'Initializing' && !sameNames(before.status, after.status)) {
    throw notAllowed('status.initializers is immutable after initialization');
  }
  if (previous?.status?.phase === 'Initializing' && phase !== 'Initializing' && after.status.length > 0) {
    throw notAllowed('status.initializers is not empty');
  }
  const was = previous?.status?.phase ?? '';
  if (ORDER.includes(phase) && ORDER.indexOf(was) > ORDER.indexOf(phase)) {
    throw notAllowed(`cannot transition from "${was}" to "${phase}"`);
  }
}

const lists = (object: LogicalCluster | undefined) => ({
  spec: object?.spec?.initializers ?? [],
  status: object?.status?.initializers ?? [],
});

const contains = (all: readonly string[], some: readonly string[]): boolean => some.every(name => all.includes(name));
const sameNames = (a: readonly string[], b: readonly string[]): boolean => contains(a, b) && contains(b, a);

const notAllowed = (why: string): StatusError =>
  new StatusError('Forbidden', `logicalclusters.core.kcp.io "cluster" is forbidden: ${why}`, {
    name: LOGICAL_CLUSTER_NAME,
    group: 'core.kcp.io',
    kind: 'logicalclusters',
  });
