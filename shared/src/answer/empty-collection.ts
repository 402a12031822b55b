import { parseFieldSelector } from '../kube/field-selectors.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection } from '../view/collection.ts';

/** No objects of a resource, at a version. Nothing ever happens in it. */
export function emptyCollection(request: RequestInfo, kind: string, resourceVersion: string): Collection {
  const { apiGroup: group, apiVersion: version, resource } = request;
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    group,
    resource,
    columns: [],
    list: () => ({ metadata: { resourceVersion }, items: [] }),
    get: () => undefined,
    watch: () => () => undefined,
  };
}

/** The query to ask it with: by which fields can be selected, only the shard knows. Throws a StatusError 400 where the selector is none at all. */
export function queryOf(query: URLSearchParams): URLSearchParams {
  parseFieldSelector(query.get('fieldSelector') ?? '');
  return new URLSearchParams([...query].filter(([name]) => name !== 'fieldSelector'));
}
