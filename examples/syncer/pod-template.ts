import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { stateLabel, UPSYNC } from '@kcp-vw/syncer-vw/transform/names.ts';
import type { DownstreamObjectOptions } from './downstream-object.ts';
import { OWNER_LABEL } from './names.ts';

/** Where a user finds the workspace; absent where the virtual workspace does not say so. */
export const WORKSPACE_URL_ANNOTATION = 'internal.workload.kcp.io/workspace-url';

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath?: string } };
}

interface Container {
  readonly env?: readonly EnvVar[];
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
    readonly [field: string]: unknown;
  };
}

/**
 * Pods of a deployment as a physical cluster can run them: accounts are upstream, so they get none here; the API that they ask for is the
 * one of their workspace, and so is the namespace that they are told.
 */
export function forPhysicalCluster(object: KubeObject, view: KubeObject, options: DownstreamObjectOptions): KubeObject {
  const { template, ...spec } = (object.spec ?? {}) as { template?: PodTemplate };
  if (template === undefined) return object;
  const url = URL.parse(view.metadata?.annotations?.[WORKSPACE_URL_ANNOTATION] ?? '') ?? options.kcp;
  const mutate = (container: Container): Container => withEnvironment(container, url, view.metadata?.namespace ?? '');
  return { ...object, spec: { ...spec, template: { ...labelled(template, options), spec: podSpec(template.spec, mutate) } } };
}

function podSpec(spec: PodTemplate['spec'] = {}, mutate: (container: Container) => Container): PodTemplate['spec'] {
  const { serviceAccountName: _name, serviceAccount: _account, ...rest } = spec;
  const containers = (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap(field => {
    const present = spec[field];
    return present ? [[field, present.map(mutate)] as const] : [];
  });
  return { ...rest, automountServiceAccountToken: false, ...Object.fromEntries(containers) };
}

/** Variables that are there keep their place: others may refer to them. */
function withEnvironment(container: Container, url: URL, namespace: string): Container {
  const port = url.port || (url.protocol === 'http:' ? '80' : '443');
  const ours = new Map([
    ['KUBERNETES_SERVICE_HOST', url.hostname],
    ['KUBERNETES_SERVICE_PORT', port],
    ['KUBERNETES_SERVICE_PORT_HTTPS', port],
  ]);
  const present = (container.env ?? []).map(variable => {
    const value = ours.get(variable.name);
    ours.delete(variable.name);
    if (value !== undefined) return { name: variable.name, value };
    const isNamespace = variable.valueFrom?.fieldRef?.fieldPath === 'metadata.namespace';
    return isNamespace ? { name: variable.name, value: namespace } : variable;
  });
  return { ...container, env: [...present, ...[...ours].map(([name, value]) => ({ name, value }))] };
}

function labelled(template: PodTemplate, { key, upsyncPods }: DownstreamObjectOptions): PodTemplate {
  if (!upsyncPods) return template;
  const labels = { ...template.metadata?.labels, [stateLabel(key)]: UPSYNC, [OWNER_LABEL]: key };
  return { ...template, metadata: { ...template.metadata, labels } };
}
