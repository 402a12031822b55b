import type { KubeObject } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue } from '../listener/headers.ts';
import { type Target, withParameter } from '../target/target.ts';
import type { Transform } from '../view/view.ts';

/** One object, a list, or a Table of either. Undefined: the one object asked for is not the caller's to see. */
export function transformDocument(
  document: KubeObject,
  plan: Pick<Transform, 'object'>,
  hideObjects: boolean,
): KubeObject | undefined {
  if (document.kind === 'Table') {
    const rows = ((document.rows ?? []) as TableRow[])
      .filter(row => row.object && plan.object(row.object) !== undefined)
      .map(({ object, ...row }) => (hideObjects ? row : { ...row, object }));
    return { ...document, ...withoutRemaining(document), rows };
  }
  // An empty list of a Go server may say `"items": null`.
  if ('items' in document) {
    const items = ((document.items ?? []) as KubeObject[]).map(plan.object).filter(item => item !== undefined);
    return { ...document, ...withoutRemaining(document), items };
  }
  return plan.object(document);
}

interface TableRow {
  readonly object?: KubeObject | null;
  readonly [field: string]: unknown;
}

/** `remainingItemCount` counts objects that the caller may not see. */
function withoutRemaining(document: KubeObject): Pick<KubeObject, 'metadata'> {
  const { remainingItemCount: _, ...metadata } = document.metadata ?? {};
  return { metadata };
}

/**
 * A Table without objects (`includeObject=None`) could not be filtered: ask for their metadata and take it out again.
 */
export function withTableObjects(rest: Target, exchange: Exchange): { target: Target; hideObjects: boolean } {
  const wantsTable = /\bas=Table\b/.test(headerValue(exchange.headers, 'accept') ?? '');
  if (!wantsTable || rest.query.get('includeObject') !== 'None') return { target: rest, hideObjects: false };
  return { target: { ...rest, rawQuery: withParameter(rest.rawQuery, 'includeObject', 'Metadata') }, hideObjects: true };
}
