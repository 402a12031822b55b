/** What the syncer of a SyncTarget does with the objects of a consumer, by the URLs in the SyncTarget's status. */
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { TargetShard } from '../target.ts';
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';
import { grantRules } from './exports.ts';
import { type Consumer, computeWorkspace, mark, NAMESPACES, storedIn } from './syncing.ts';
import {
  acceptResources,
  beat,
  type CreatedSyncTarget,
  createSyncTarget,
  type SyncTargetOptions,
  storedSyncTarget,
  viewsOf,
} from './syncing-targets.ts';

/** An object with what tests look at. */
export type Synced = KubeObject & {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
};

/** The label by which a SyncTarget is chosen by its key. */
export const KEY_LABEL = 'internal.workload.kcp.io/key';

export const finalizerOf = ({ key }: Pick<CreatedSyncTarget, 'key'>): string => `workload.kcp.io/syncer-${key}`;
export const deletionOf = ({ key }: Pick<CreatedSyncTarget, 'key'>): string => `deletion.internal.workload.kcp.io/${key}`;
export const softFinalizersOf = ({ key }: Pick<CreatedSyncTarget, 'key'>): string => `finalizers.workload.kcp.io/${key}`;
export const specDiffOf = ({ key }: Pick<CreatedSyncTarget, 'key'>): string => `experimental.spec-diff.workload.kcp.io/${key}`;
export const viewDiffOf = ({ key }: Pick<CreatedSyncTarget, 'key'>): string => `diff.syncer.internal.kcp.io/${key}`;
export const labelOf = ({ key }: Pick<CreatedSyncTarget, 'key'>): string => `state.workload.kcp.io/${key}`;

/** A SyncTarget whose syncer is alive and takes all that there is, or what is named: namespaces can go to it. */
export async function createReadySyncTarget(
  options: SyncTargetOptions = {},
  resources?: readonly string[],
): Promise<CreatedSyncTarget> {
  const created = await createSyncTarget(options);
  await beat(created);
  await acceptResources(created, resources);
  await eventually(`readiness of SyncTarget ${created.name}`, async () => {
    const { metadata, status } = await storedSyncTarget(created);
    const isReady = status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    if (!isReady || !metadata?.labels?.[KEY_LABEL]) throw new Error(JSON.stringify({ labels: metadata?.labels, status }));
  });
  return created;
}

/** What a provider allows the service, so that objects of his export can be synced. */
export async function letServiceIn(provider: string, exported: string): Promise<void> {
  const { account } = await computeWorkspace();
  const group = 'apis.kcp.io';
  await grantRules(provider, { kind: 'User', name: account.globalName }, [
    { nonResourceURLs: ['/'], verbs: ['access'] },
    {
      apiGroups: [group],
      resources: ['apiexports', 'apiexportendpointslices', 'apiresourceschemas'],
      verbs: ['get', 'list', 'watch'],
    },
    { apiGroups: [group], resources: ['apiexports/content'], resourceNames: [exported], verbs: ['*'] },
  ]);
}

/** The views of a SyncTarget on the shard of a consumer. */
export interface Shown {
  /** All logical clusters. */
  readonly everywhere: Client;
  /** The consumer's. */
  readonly here: Client;
  /** The same of the upsyncer view. */
  readonly broughtEverywhere: Client;
  readonly brought: Client;
}

/** Waits until the views know both, and serve what the SyncTarget has accepted. */
export async function shownTo(
  created: CreatedSyncTarget,
  { cluster, shard }: { readonly cluster: string; readonly shard: TargetShard },
): Promise<Shown> {
  const { syncer, upsyncer } = await viewsOf(created, shard);
  const shown = {
    everywhere: syncer.at('/clusters/*'),
    here: syncer.at(`/clusters/${cluster}`),
    broughtEverywhere: upsyncer.at('/clusters/*'),
    brought: upsyncer.at(`/clusters/${cluster}`),
  };
  const { status } = await storedSyncTarget(created);
  const accepted = (status?.syncedResources ?? []).filter(({ state }) => state === 'Accepted').map(({ resource }) => resource);
  await eventually(`the views of ${created.name} on ${shard.name}`, async () => {
    (await shown.here.get(NAMESPACES)).expect(200);
    if (accepted.includes('services')) (await shown.here.get('/api/v1/services')).expect(200);
    if (accepted.includes('pods')) (await shown.brought.get('/api/v1/pods')).expect(200);
  });
  return shown;
}

export const servicesIn = (namespace: string): string => `/api/v1/namespaces/${namespace}/services`;
export const configMapsIn = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;

/** Nobody but syncers has anything to do with it: no coordinator divides it. */
export const service = (name: string, metadata: KubeObject['metadata'] = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...metadata, name },
  spec: { type: 'ClusterIP', selector: { app: name }, ports: [{ name: 'web', protocol: 'TCP', port: 80 }] },
});

export const configMap = (name: string, metadata: KubeObject['metadata'] = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...metadata, name },
  data: { said: name },
});

/** Creates an object as the owner of the workspace; returns its path. */
export async function created(consumer: Consumer, collection: string, object: KubeObject): Promise<string> {
  await eventually(`creation of ${object.kind} ${object.metadata?.name}`, async () =>
    (await consumer.owner.post(collection, object)).expect(201),
  );
  return `${collection}/${object.metadata?.name}`;
}

/** Waits until a syncer is shown the object. */
export const seen = (view: Client, path: string): Promise<Synced> =>
  eventually(`${path} to be seen`, async () => (await view.get(path)).expect(200).json<Synced>());

export const unseen = (view: Client, path: string): Promise<unknown> =>
  eventually(`${path} to be seen no more`, async () => (await view.get(path)).expect(404));

/** Puts the syncer's finalizer on the object: it has it from now on. Returns what it is shown. */
export async function takeOn(view: Client, path: string, target: CreatedSyncTarget): Promise<Synced> {
  await seen(view, path);
  const patch = { metadata: { finalizers: [finalizerOf(target)] } };
  return (await view.mergePatch(path, patch)).expect(200).json<Synced>();
}

/** Says what has become of it. */
export const report = async (view: Client, path: string, status: object): Promise<Synced> =>
  (await view.mergePatch(`${path}/status`, { status })).expect(200).json<Synced>();

/** Waits until the syncer is to let go, and lets go. */
export async function letGo(view: Client, path: string): Promise<void> {
  await eventually(`removal of ${path} to be asked for`, async () => {
    const { metadata } = (await view.get(path)).expect(200).json<Synced>();
    if (!metadata?.deletionTimestamp) throw new Error(JSON.stringify(metadata));
    (await view.mergePatch(path, { metadata: { finalizers: null } })).expect(200);
  });
}

/** Has the scheduler place a namespace on exactly these targets. */
export const placeOn = (consumer: Consumer, namespace: string, targets: readonly CreatedSyncTarget[]): Promise<KubeObject> =>
  mark(consumer, `${NAMESPACES}/${namespace}`, {
    annotations: {
      'placement.workload.kcp.io/selector': `${KEY_LABEL} in (${targets.map(({ key }) => key).join(',') || 'none'})`,
      'placement.workload.kcp.io/spread': String(targets.length),
    },
  });

export const stored = (consumer: Consumer, path: string): Promise<Synced> => storedIn(consumer, path);
