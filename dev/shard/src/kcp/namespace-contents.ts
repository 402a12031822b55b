import type { Loopback } from './loopback.ts';
import { CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from './refs.ts';

/** The ConfigMap that tells pods how to verify the server. */
const ROOT_CERTIFICATES = 'kube-root-ca.crt';

/** Gives a namespace what Kubernetes' controllers put into each. */
export function reconcileNamespaceContents(objects: Loopback, cluster: string, name: string, certificates: string): void {
  const namespace = objects.get(NAMESPACES, cluster, name);
  if (namespace === undefined || namespace.metadata?.deletionTimestamp) return;
  if (objects.get(CONFIG_MAPS, cluster, ROOT_CERTIFICATES, name) === undefined) {
    const data = { 'ca.crt': certificates };
    objects.create(CONFIG_MAPS, cluster, { metadata: { name: ROOT_CERTIFICATES, namespace: name }, data });
  }
  if (objects.get(SERVICE_ACCOUNTS, cluster, 'default', name) === undefined) {
    objects.create(SERVICE_ACCOUNTS, cluster, { metadata: { name: 'default', namespace: name } });
  }
}
