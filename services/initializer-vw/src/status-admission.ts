import { isDeepStrictEqual } from 'node:util';
import { internalError, invalid, type StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Lifecycle, type LogicalCluster, namesIn } from './lifecycle.ts';

/**
 * What the owner of `name` may make of a LogicalCluster's status: the list of names stays as it is, or loses exactly `name`; conditions
 * may change, nothing else.
 *
 * The write goes upstream as masters, which skips kcp's own admission, so this is the only guard. kcp's initializing view accepts any
 * list of equal length and with it a swap of names. Both of kcp's accept that someone else's name goes once the own one is gone, for as
 * long as the label by which the object is selected lags behind. Ours accept neither.
 */
export function admitStatus(
  lifecycle: Lifecycle,
  name: string,
  stored: KubeObject,
  proposed: KubeObject,
): StatusError | undefined {
  const before = namesIn(lifecycle, stored as LogicalCluster);
  const after = namesIn(lifecycle, proposed as LogicalCluster);
  if (before === undefined || after === undefined) {
    return internalError(`error accessing ${lifecycle.statusField} of the object: not a list of strings`);
  }
  const changed = otherChange(lifecycle, stored as LogicalCluster, proposed as LogicalCluster);
  if (changed !== undefined) {
    const detail = `only status.${lifecycle.statusField} and status.conditions may be changed by the ${lifecycle.role} ${JSON.stringify(name)}`;
    return invalidStatus(lifecycle, proposed, changed, proposed.status, detail);
  }
  const unchanged = sameList(before, after);
  const removed =
    before.includes(name) &&
    sameEntries(
      before.filter(entry => entry !== name),
      after,
    );
  if (unchanged || removed) return undefined;
  const detail = `only removing the ${JSON.stringify(name)} ${lifecycle.role} is supported`;
  return invalidStatus(lifecycle, proposed, lifecycle.statusField, proposed.status, detail);
}

/**
 * The first field of the status beside the own list and the conditions that would change. kcp's view lets all of them be written, as
 * masters: the phase could be set to Ready past all other initializers, the terminators of others emptied. An owner of the workspace
 * may do neither.
 */
function otherChange(lifecycle: Lifecycle, stored: LogicalCluster, proposed: LogicalCluster): string | undefined {
  const before: Record<string, unknown> = { ...stored.status };
  const after: Record<string, unknown> = { ...proposed.status };
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return fields.find(
    field => field !== lifecycle.statusField && field !== 'conditions' && !isDeepStrictEqual(before[field], after[field]),
  );
}

function invalidStatus(
  lifecycle: Lifecycle,
  { metadata }: KubeObject,
  field: string,
  status: unknown,
  detail: string,
): StatusError {
  const value = (status as Record<string, unknown> | undefined)?.[field];
  const of = { group: lifecycle.invalidGroup, kind: 'LogicalCluster' };
  return invalid(of, metadata?.name ?? '', [{ field: `status.${field}`, value: value ?? null, detail }]);
}

// Not by joining with a comma: `system:` names may contain anything.
const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((entry, i) => entry === b[i]);
const sameEntries = (a: readonly string[], b: readonly string[]): boolean => sameList([...a].sort(), [...b].sort());
