import { CLUSTER_ANNOTATION, type KubeObject, type ObjectMeta } from '@kcp-vw/shared/kube/objects.ts';
import { deletionAnnotation, type SyncTargetKey, stateLabel } from '@kcp-vw/syncer-vw/transform/names.ts';
import { downstreamName, OWNER_LABEL } from './names.ts';
import { forPhysicalCluster, WORKSPACE_URL_ANNOTATION } from './pod-template.ts';
import { isSame, type Resource, SECRETS } from './resources.ts';

export interface DownstreamObjectOptions {
  readonly resource: Resource;
  readonly key: SyncTargetKey;
  /** Downstream. */
  readonly namespace: string;
  /** Where kcp is, for pods that ask for the API of their workspace. */
  readonly kcp: URL;
  /** Pods of deployments come back upstream. */
  readonly upsyncPods: boolean;
}

/** What is applied downstream for a view: what its user has asked for, and nothing of what kcp keeps there. */
export function downstreamObject(view: KubeObject, options: DownstreamObjectOptions): KubeObject {
  const { resource, key, namespace } = options;
  const { status: _status, metadata = {}, ...rest } = view;
  const { name = '' } = metadata;
  const stripped: KubeObject = {
    ...rest,
    metadata: {
      name: downstreamName(resource, name),
      namespace,
      labels: { ...without(metadata.labels, [stateLabel(key)]), [OWNER_LABEL]: key },
      ...annotationsOf(metadata, key),
    },
  };
  if (isSame(resource, SECRETS)) return opaque(stripped);
  if (hasPodTemplate(resource)) return forPhysicalCluster(stripped, view, options);
  return stripped;
}

/** Everything besides metadata of kcp and of the server, which is not applied anyway. */
function annotationsOf({ annotations }: ObjectMeta, key: SyncTargetKey): Pick<ObjectMeta, 'annotations'> {
  const kept = without(annotations, [CLUSTER_ANNOTATION, deletionAnnotation(key), WORKSPACE_URL_ANNOTATION]);
  return Object.keys(kept).length > 0 ? { annotations: kept } : {};
}

const without = (map: Readonly<Record<string, string>> = {}, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));

const POD_TEMPLATES = new Set(['deployments', 'statefulsets', 'replicasets']);
const hasPodTemplate = ({ group, resource }: Resource): boolean => group === 'apps' && POD_TEMPLATES.has(resource);

const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** The token of an account upstream is of no account downstream, which would have it refused, or deleted. */
function opaque(secret: KubeObject): KubeObject {
  const { annotations: present = {}, ...metadata } = secret.metadata ?? {};
  if (present[ACCOUNT_NAME] === undefined) return secret;
  const annotations = without(present, [ACCOUNT_NAME, ACCOUNT_UID]);
  return { ...secret, type: 'Opaque', metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) } };
}
