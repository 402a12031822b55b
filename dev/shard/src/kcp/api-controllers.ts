import { clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { resourceKey } from '../store/definition.ts';
import type { Change } from '../store/event-log.ts';
import { type BindingContext, reconcileApiBinding, unbind } from './api-binding-controller.ts';
import { reconcileBindingDeletion } from './api-binding-deletion.ts';
import { collectSlicesOf, reconcileApiExport } from './api-export-controller.ts';
import type { ApiBinding, EndpointSlice } from './api-objects.ts';
import { CustomResources } from './crd-controller.ts';
import { reconcileEndpointSlice, reconcileEndpointUrls } from './endpoint-slice-controller.ts';
import type { Loopback } from './loopback.ts';
import type { OtherShards } from './other-shards.ts';
import { reconcileClaimLabels, reconcilePermissionClaims } from './permission-claim-controller.ts';
import { claimLabelsFor, withClaimLabels } from './permission-claims.ts';
import {
  API_BINDINGS,
  API_EXPORT_ENDPOINT_SLICES,
  API_EXPORTS,
  API_RESOURCE_SCHEMAS,
  CUSTOM_RESOURCE_DEFINITIONS,
  PARTITIONS,
  ROOT,
  SECRETS,
  SHARDS,
} from './refs.ts';
import { unlockResources } from './resource-locks.ts';
import { WorkQueue } from './work-queue.ts';
import { logicalClusterOf } from './workspace-paths.ts';

export interface ApiControllersOptions extends BindingContext {
  readonly objects: Loopback;
  readonly others: OtherShards;
  readonly shardName: string;
  readonly onError: (error: unknown, what: string) => void;
}

const KEY = {
  apiBindings: resourceKey(API_BINDINGS),
  apiExports: resourceKey(API_EXPORTS),
  crds: resourceKey(CUSTOM_RESOURCE_DEFINITIONS),
  partitions: resourceKey(PARTITIONS),
  schemas: resourceKey(API_RESOURCE_SCHEMAS),
  secrets: resourceKey(SECRETS),
  shards: resourceKey(SHARDS),
  slices: resourceKey(API_EXPORT_ENDPOINT_SLICES),
};

const keyOf = (cluster: string, name: string): string => `${cluster}|${name}`;

function split(key: string): [cluster: string, name: string] {
  const bar = key.indexOf('|');
  return [key.slice(0, bar), key.slice(bar + 1)];
}

/** Starts what exports, binds, labels and publishes APIs. Returns how to stop it. */
export function startApiControllers({ objects, others, shardName, exported, bound, onError }: ApiControllersOptions): () => void {
  const queue = (name: string, work: (key: string) => void): WorkQueue =>
    new WorkQueue(work, { onError: (error, key) => onError(error, `${name} ${key}`) });
  const exports = queue('export', key => reconcileApiExport(objects, ...split(key)));
  const slices = queue('endpoint slice', key => reconcileEndpointSlice(objects, ...split(key)));
  const urls = queue('URLs of endpoint slice', key => reconcileEndpointUrls(objects, others, shardName, ...split(key)));
  const bindings = queue('binding', key => {
    reconcileApiBinding(objects, ...split(key), { exported, bound });
    reconcilePermissionClaims(objects, ...split(key));
  });
  const deletions: WorkQueue = queue('deletion of binding', key => {
    const again = reconcileBindingDeletion(objects, ...split(key));
    if (again !== undefined) deletions.addAfter(key, again);
  });
  const customResources = new CustomResources(objects);
  const crds = queue('CRD', key => customResources.reconcile(...split(key)));
  const labels = queue('claim labels of', key => reconcileClaimLabels(objects, key));

  const addAll = (to: WorkQueue, all: readonly KubeObject[]): void => {
    for (const object of all) to.add(keyOf(clusterOf(object), object.metadata?.name ?? ''));
  };
  const allSlices = (): readonly EndpointSlice[] => [
    ...objects.list<EndpointSlice>(API_EXPORT_ENDPOINT_SLICES, '*'),
    ...objects.cache.list<EndpointSlice>(API_EXPORT_ENDPOINT_SLICES, '*'),
  ];
  const allBindings = (): readonly ApiBinding[] => objects.list<ApiBinding>(API_BINDINGS, '*');
  const lookAtSlicesOf = (name: string | undefined): void =>
    addAll(
      urls,
      allSlices().filter(({ spec }) => spec?.export?.name === name),
    );
  const lookAtBindingsTo = (name: string): void =>
    addAll(
      bindings,
      allBindings().filter(({ spec }) => spec?.reference?.export?.name === name),
    );

  /** Of this shard or, told by the cache, of another. */
  function onAnyChange({ resource, cluster, name }: Change): void {
    if (resource === KEY.apiExports) {
      lookAtBindingsTo(name);
      lookAtSlicesOf(name);
      addAll(
        slices,
        objects.list<EndpointSlice>(API_EXPORT_ENDPOINT_SLICES, '*').filter(({ spec }) => spec?.export?.name === name),
      );
    } else if (resource === KEY.schemas) {
      const names = [...objects.list(API_EXPORTS, cluster), ...objects.cache.list(API_EXPORTS, cluster)];
      for (const { metadata } of names) lookAtBindingsTo(metadata?.name ?? '');
    } else if (resource === KEY.slices) urls.add(keyOf(cluster, name));
  }

  function onOwnChange(change: Change): void {
    const { type, resource, cluster, name, object } = change;
    onAnyChange(change);
    switch (resource) {
      case KEY.apiExports:
        if (type === 'DELETED') collectSlicesOf(objects, cluster, object);
        else exports.add(keyOf(cluster, name));
        break;
      case KEY.secrets:
        addAll(exports, objects.list(API_EXPORTS, cluster));
        break;
      case KEY.partitions:
        addAll(slices, objects.list(API_EXPORT_ENDPOINT_SLICES, cluster));
        break;
      case KEY.crds:
        crds.add(keyOf(cluster, name));
        break;
      case KEY.slices:
        slices.add(keyOf(cluster, name));
        break;
      case KEY.apiBindings:
        onBinding(change);
    }
    if (type !== 'DELETED') lookAtLabels(change);
  }

  function onBinding({ type, cluster, name, object }: Change): void {
    const binding = object as ApiBinding;
    lookAtSlicesOf(binding.spec?.reference?.export?.name);
    if (type !== 'DELETED') {
      bindings.add(keyOf(cluster, name));
      if (binding.metadata.deletionTimestamp) deletions.add(keyOf(cluster, name));
      return;
    }
    unbind(objects, cluster, binding, { exported, bound });
    const logicalCluster = logicalClusterOf(objects, cluster);
    if (logicalCluster !== undefined) unlockResources(objects, logicalCluster, { n: name });
    // What it had is free for the others.
    addAll(bindings, objects.list(API_BINDINGS, cluster));
    addAll(crds, objects.list(CUSTOM_RESOURCE_DEFINITIONS, cluster));
  }

  function lookAtLabels({ resource, cluster, namespace, name, object }: Change): void {
    const { labels: current = {} } = object.metadata ?? {};
    const slash = resource.indexOf('/');
    const [plural = ''] = resource.slice(slash + 1).split(':');
    const of = { group: resource.slice(0, slash), resource: plural };
    const wanted = claimLabelsFor(objects, { cluster, of, name, labels: current });
    if (withClaimLabels(current, wanted) !== current) labels.add([resource, cluster, namespace, name].join('|'));
  }

  const stops = [
    objects.store.onChange(onOwnChange),
    objects.cache.store.onChange(change => {
      onAnyChange(change);
      if (change.resource === KEY.shards && change.cluster === ROOT) addAll(urls, allSlices());
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    for (const one of [exports, slices, urls, bindings, deletions, crds, labels]) one.stop();
  };
}
