import { isDeepStrictEqual } from 'node:util';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { formatLabelSelector, matchesLabels, parseLabelSelector } from '@kcp-vw/shared/kube/selectors.ts';
import type { ApiBinding, ApiExport, EndpointSlice, Partition } from './api-objects.ts';
import { withCondition } from './conditions.ts';
import { requirementsOf } from './label-selector.ts';
import type { Loopback } from './loopback.ts';
import type { Shard } from './objects.ts';
import type { OtherShards } from './other-shards.ts';
import { exportOf } from './permission-claims.ts';
import { API_BINDINGS, API_EXPORT_ENDPOINT_SLICES, API_EXPORTS, PARTITIONS, ROOT, SHARDS } from './refs.ts';

/** The annotation of a copy in the cache: the shard that it was copied from. */
const COPIED_FROM = 'kcp.io/shard';

type Status = NonNullable<EndpointSlice['status']>;

/** Says whether a slice names an export and a partition that exist, and which shards it is about. For the shard that has the slice. */
export function reconcileEndpointSlice(objects: Loopback, cluster: string, name: string): void {
  const slice = objects.get<EndpointSlice>(API_EXPORT_ENDPOINT_SLICES, cluster, name);
  if (slice === undefined) return;
  const status = nextStatus(objects, cluster, slice);
  if (!isDeepStrictEqual(status, slice.status)) {
    objects.updateStatus(API_EXPORT_ENDPOINT_SLICES, cluster, { ...slice, status });
  }
}

function nextStatus(objects: Loopback, cluster: string, slice: EndpointSlice): Status {
  const { spec, status = {} } = slice;
  const { endpoints: _endpoints, ...withoutEndpoints } = status;
  const { path, name = '' } = spec?.export ?? {};
  const failed = (type: string, reason: string, message: string): Status => ({
    ...withoutEndpoints,
    conditions: withCondition(status.conditions, { type, status: 'False', severity: 'Error', reason, message }),
  });
  if (exportOfSlice(objects, cluster, slice) === undefined) {
    return failed('APIExportValid', 'APIExportNotFound', `Error getting APIExport ${path || cluster}|${name}`);
  }
  const partition = spec?.partition ? objects.get<Partition>(PARTITIONS, cluster, spec.partition) : undefined;
  if (spec?.partition && partition === undefined) {
    const message = `partitions.topology.kcp.io "${spec.partition}" not found`;
    return failed('PartitionValid', 'PartitionInvalidReference', message);
  }
  const shardSelector = formatLabelSelector(requirementsOf(partition?.spec?.selector));
  const conditions = ['APIExportValid', 'PartitionValid'].reduce(
    (list, type) => withCondition(list, { type, status: 'True' }),
    [...(status.conditions ?? [])],
  );
  const { shardSelector: _old, ...rest } = status;
  return { ...rest, conditions, ...(shardSelector !== '' && { shardSelector }) };
}

const exportOfSlice = (objects: Loopback, cluster: string, { spec }: Pick<EndpointSlice, 'spec'>): ApiExport | undefined =>
  objects.findByPath<ApiExport>(API_EXPORTS, spec?.export?.path || cluster, spec?.export?.name ?? '');

/**
 * Puts the shard's own URL into a slice, wherever that is, as long as somebody on this shard has bound the export. Throws while the shard
 * of the slice is away.
 */
export function reconcileEndpointUrls(
  objects: Loopback,
  others: OtherShards,
  shardName: string,
  cluster: string,
  name: string,
): void {
  const slice = objects.find<EndpointSlice>(API_EXPORT_ENDPOINT_SLICES, cluster, name);
  const shard = objects.cache.get<Shard>(SHARDS, ROOT, shardName);
  const { conditions = [], shardSelector = '' } = slice?.status ?? {};
  const base = shard?.spec?.virtualWorkspaceURL;
  if (slice === undefined || !base || conditions.length === 0 || conditions.some(({ status }) => status !== 'True')) return;
  const found = exportOfSlice(objects, cluster, slice);
  if (found === undefined) return;
  const isBound = objects.list<ApiBinding>(API_BINDINGS, '*').some(binding => isBindingTo(objects, binding, found));
  const isMeant = matchesLabels(parseLabelSelector(shardSelector), shard.metadata.labels);
  // Out of the partition, but with consumers: whoever follows the URL needs it to clean up.
  if (isBound && !isMeant) return;
  const url = `${base.replace(/\/$/, '')}/services/apiexport/${clusterOf(found)}/${found.metadata.name}`;
  publish(homeOf(objects, others, cluster, name, slice), cluster, name, url, isBound);
}

function isBindingTo(objects: Loopback, binding: ApiBinding, found: ApiExport): boolean {
  if (binding.spec?.reference?.export?.name !== found.metadata.name) return false;
  const bound = exportOf(objects, binding);
  return bound !== undefined && clusterOf(bound) === clusterOf(found);
}

/** The objects of the shard that has the slice. */
function homeOf(objects: Loopback, others: OtherShards, cluster: string, name: string, { metadata }: EndpointSlice): Loopback {
  if (objects.get(API_EXPORT_ENDPOINT_SLICES, cluster, name) !== undefined) return objects;
  return others.objectsOf(metadata.annotations?.[COPIED_FROM] ?? '');
}

function publish(home: Loopback, cluster: string, name: string, url: string, isThere: boolean): void {
  const slice = home.get<EndpointSlice>(API_EXPORT_ENDPOINT_SLICES, cluster, name);
  const { endpoints = [], ...status } = slice?.status ?? {};
  if (slice === undefined || endpoints.some(one => one.url === url) === isThere) return;
  const next = isThere ? [...endpoints, { url }] : endpoints.filter(one => one.url !== url);
  home.updateStatus(API_EXPORT_ENDPOINT_SLICES, cluster, {
    ...slice,
    status: { ...status, ...(next.length > 0 && { endpoints: next }) },
  });
}
