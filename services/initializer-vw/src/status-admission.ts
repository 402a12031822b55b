import { internalError, invalid, type StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type Lifecycle, type LogicalCluster, namesIn } from './lifecycle.ts';

/**
 * What the owner of `name` may make of a LogicalCluster's status: the list of names stays as it is, or loses exactly `name`.
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
  const unchanged = sameList(before, after);
  const removed =
    before.includes(name) &&
    sameEntries(
      before.filter(entry => entry !== name),
      after,
    );
  if (unchanged || removed) return undefined;
  return invalid({ group: lifecycle.invalidGroup, kind: 'LogicalCluster' }, proposed.metadata?.name ?? '', [
    {
      field: `status.${lifecycle.statusField}`,
      value: after,
      detail: `only removing the ${JSON.stringify(name)} ${lifecycle.role} is supported`,
    },
  ]);
}

// Not by joining with a comma: `system:` names may contain anything.
const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((entry, i) => entry === b[i]);
const sameEntries = (a: readonly string[], b: readonly string[]): boolean => sameList([...a].sort(), [...b].sort());
