import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { resourceKey } from '../store/definition.ts';
import type { Change } from '../store/event-log.ts';
import type { Loopback } from './loopback.ts';
import { CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from './refs.ts';

/** The ConfigMap that tells pods how to verify the server. */
const ROOT_CERTIFICATES = 'kube-root-ca.crt';
const DEFAULT_ACCOUNT = 'default';

const DESCRIPTION = 'kubernetes.io/description';
const OF_CERTIFICATES =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Whether a change is of something that every namespace has, and that is put back. The service account, once it is deleted, is not. */
export const isOfEveryNamespace = ({ type, resource, name }: Change): boolean =>
  type !== 'ADDED' && resource === resourceKey(CONFIG_MAPS) && name === ROOT_CERTIFICATES;

/** Gives a namespace what Kubernetes' controllers put into each. */
export function reconcileNamespaceContents(objects: Loopback, cluster: string, name: string, certificates: string): void {
  const namespace = objects.get(NAMESPACES, cluster, name);
  if (namespace === undefined || namespace.metadata?.deletionTimestamp) return;
  const data = { 'ca.crt': certificates };
  const found = objects.get<ConfigMap>(CONFIG_MAPS, cluster, ROOT_CERTIFICATES, name);
  const annotations = { ...found?.metadata?.annotations, [DESCRIPTION]: OF_CERTIFICATES };
  if (found === undefined) {
    objects.create(CONFIG_MAPS, cluster, { metadata: { name: ROOT_CERTIFICATES, namespace: name, annotations }, data });
  } else if (!isDeepStrictEqual(found.data, data) || !found.metadata?.annotations?.[DESCRIPTION]) {
    objects.update(CONFIG_MAPS, cluster, { ...found, metadata: { ...found.metadata, annotations }, data });
  }
  if (objects.get(SERVICE_ACCOUNTS, cluster, DEFAULT_ACCOUNT, name) === undefined) {
    objects.create(SERVICE_ACCOUNTS, cluster, { metadata: { name: DEFAULT_ACCOUNT, namespace: name } });
  }
}

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };
