import { wantedTransform } from '../kube/media-type.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type Target, withParameter } from '../target/target.ts';
import type { Transform } from '../view/view.ts';

/** What the shard was asked for. An answer is taken for nothing else: an object may have `items`, and its kind may be `Table`. */
export interface AskedFor {
  readonly isList: boolean;
  readonly isTable: boolean;
  /** Of a Table, whose rows have objects to decide by that the caller did not want. */
  readonly hideObjects: boolean;
}

/** One object, a list, or a Table of either. Undefined: the one object asked for is not the caller's to see. */
export function transformDocument(
  document: KubeObject,
  plan: Pick<Transform, 'object'>,
  { isList, isTable, hideObjects }: AskedFor,
): KubeObject | undefined {
  if (isTable && document.kind === 'Table' && TABLE_VERSIONS.has(document.apiVersion)) {
    const rows = ((document.rows ?? []) as TableRow[])
      .filter(row => row.object && plan.object(row.object) !== undefined)
      .map(({ object, ...row }) => (hideObjects ? row : { ...row, object }));
    // One row for one object: without it the object is hidden.
    return isList || rows.length > 0 ? { ...document, ...withoutRemaining(document), rows } : undefined;
  }
  // An empty list of a Go server may say `"items": null`.
  if (isList) {
    const items = ((document.items ?? []) as KubeObject[]).map(plan.object).filter(item => item !== undefined);
    return { ...document, ...withoutRemaining(document), items };
  }
  return plan.object(document);
}

const TABLE_VERSIONS: ReadonlySet<string | undefined> = new Set(['meta.k8s.io/v1', 'meta.k8s.io/v1beta1']);

interface TableRow {
  readonly object?: KubeObject | null;
  readonly [field: string]: unknown;
}

/** `remainingItemCount` counts objects that the caller may not see. */
export function withoutRemaining(document: KubeObject): Pick<KubeObject, 'metadata'> {
  const { remainingItemCount: _, ...metadata } = document.metadata ?? {};
  return { metadata };
}

/**
 * A Table without objects (`includeObject=None`) could not be filtered: ask for their metadata and take it out again. `accept` is what the
 * shard is asked for. Throws a StatusError 406 where that is nothing.
 */
export function withTableObjects(rest: Target, accept: string): { target: Target } & Omit<AskedFor, 'isList'> {
  const isTable = wantedTransform(accept)?.kind === 'Table';
  if (!isTable || rest.query.get('includeObject') !== 'None') return { target: rest, isTable, hideObjects: false };
  return { target: { ...rest, rawQuery: withParameter(rest.rawQuery, 'includeObject', 'Metadata') }, isTable, hideObjects: true };
}
