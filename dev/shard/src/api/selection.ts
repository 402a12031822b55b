import { type ListOptions, parseListOptions } from '@kcp-vw/shared/answer/serve-options.ts';
import {
  CLUSTER_SCOPED_FIELDS,
  METADATA_FIELDS,
  matchesFields,
  parseFieldSelector,
  requiredFieldValue,
} from '@kcp-vw/shared/kube/field-selectors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { matchesLabels, parseLabelSelector } from '@kcp-vw/shared/kube/selectors.ts';
import type { ResourceCall } from './call.ts';

/** Whether the selectors of a list or watch let an object through; undefined when there are none. */
export type Selection = ((object: KubeObject) => boolean) | undefined;

export interface Selected {
  readonly options: ListOptions;
  readonly selection: Selection;
}

/** The options of a list, watch or deletion of a collection. Throws a StatusError 400 or 422. */
export function selectedBy({ definition, cluster, request, rest }: ResourceCall): Selected {
  const query = new URLSearchParams(rest.query);
  // What fields there are depends on the resource, which the options know nothing of.
  query.delete('fieldSelector');
  const options = parseListOptions(request, query);
  const selectable = { ...(definition.namespaced ? METADATA_FIELDS : CLUSTER_SCOPED_FIELDS), ...definition.selectableFields };
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(rest.query.get('fieldSelector') ?? '', selectable);
  if (labels.length + fields.length === 0) return { options, selection: undefined };
  // kcp looks the name up as a key of its own, and no object of all logical clusters has such a key. There is none without a namespace.
  const isKey = cluster === '*' && !definition.namespaced && requiredFieldValue(fields, 'metadata.name') !== undefined;
  if (isKey) return { options, selection: () => false };
  const selection = (object: KubeObject): boolean =>
    matchesLabels(labels, object.metadata?.labels) && matchesFields(fields, object, selectable);
  return { options, selection };
}
