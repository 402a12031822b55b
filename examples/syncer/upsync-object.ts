import { CLUSTER_ANNOTATION, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { syncerFinalizer } from '@kcp-vw/syncer-vw/transform/names.ts';
import { LOCATOR_ANNOTATION, OWNER_LABEL } from './names.ts';
import type { Syncer } from './namespaces.ts';

/** On an upsynced object: the version of the one downstream that it shows, with its status. Absent until it shows all of one. */
export const VERSION_ANNOTATION = 'workload.kcp.io/rv';

/** What is stored upstream for an object of the physical cluster. */
export function upsyncedObject(object: KubeObject, syncer: Syncer, namespace: string): KubeObject {
  const { metadata: { name = '', labels = {}, annotations = {} } = {}, ...rest } = object;
  const { [OWNER_LABEL]: _owner, ...ownLabels } = labels;
  const { [CLUSTER_ANNOTATION]: _cluster, [LOCATOR_ANNOTATION]: _locator, ...ownAnnotations } = annotations;
  return {
    ...rest,
    metadata: {
      name,
      ...(namespace && { namespace }),
      labels: ownLabels,
      annotations: ownAnnotations,
      finalizers: [syncerFinalizer(syncer.key)],
    },
  };
}

/** The same with the identity of the object upstream, and with the version that it has shown so far, or shows from now on. */
export function asStored(wanted: KubeObject, stored: KubeObject, version: string | undefined): KubeObject {
  const { uid, resourceVersion, finalizers = [], labels, annotations } = stored.metadata ?? {};
  const { [VERSION_ANNOTATION]: _version, ...kept } = { ...ofKcp(annotations), ...wanted.metadata?.annotations };
  return {
    ...wanted,
    metadata: {
      ...wanted.metadata,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      labels: { ...ofKcp(labels), ...wanted.metadata?.labels },
      annotations: { ...kept, ...(version !== undefined && { [VERSION_ANNOTATION]: version }) },
      finalizers: [...new Set([...finalizers, ...(wanted.metadata?.finalizers ?? [])])],
    },
  };
}

/** What kcp has put on an object upstream stays: others may not change it. */
const ofKcp = (map: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(map).filter(([name]) => /(^|\.)kcp\.io(\/|$)/.test(name)));
