/** Workspaces whose objects SyncTargets get, by hand: for tests of what syncers are shown, and of what schedules. */
import { test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { COMPUTE_EXPORT, WORKLOAD_EXPORT } from '@kcp-vw/syncer-vw/manifests/exports.ts';
import { SELECTOR_ANNOTATION, SPREAD_ANNOTATION } from '@kcp-vw/syncer-vw/running/placement-annotations.ts';
import { stateLabel } from '@kcp-vw/syncer-vw/transform/names.ts';
import type { TargetShard } from '../target.ts';
import type { Client, Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import type { CreatedExport } from './exports.ts';
import { admin, atFrontProxy, atShard, masters, target } from './identities.ts';
import { bindTo, COMPUTE, installSyncing, type SyncingAccount } from './syncing-install.ts';
import type { CreatedSyncTarget } from './syncing-targets.ts';
import { adminIn, createParent, uniqueSuffix } from './workspaces.ts';

export { COMPUTE } from './syncing-install.ts';

const [root] = target.shards;

/** For what needs the views of SyncTargets and the controllers behind them; the rest is kcp's. */
export const syncingTest: typeof test.skip = target.command?.some(word => word.startsWith('--syncer-kubeconfig='))
  ? test
  : test.skip;

export const deploymentsIn = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments`;
export const NAMESPACES = '/api/v1/namespaces';

/** `root:compute` with what is in it. */
export interface Compute {
  readonly account: SyncingAccount;
  /** The account as a client of any server. */
  readonly credentials: Credentials & { readonly token: string };
  readonly workload: CreatedExport;
  readonly compute: CreatedExport;
}

let installed: Promise<Compute> | undefined;

/** `root:compute`, made by whoever asks first. */
export function computeWorkspace(): Promise<Compute> {
  installed ??= install();
  return installed;
}

async function install(): Promise<Compute> {
  const account = await installSyncing(atFrontProxy(admin));
  const [workload, compute] = await Promise.all([WORKLOAD_EXPORT, COMPUTE_EXPORT].map(name => exportCalled(name, account)));
  if (workload === undefined || compute === undefined) throw new Error(`${COMPUTE} has no exports`);
  return { account, credentials: { name: account.globalName, token: account.token }, workload, compute };
}

const exportCalled = (name: string, { cluster }: SyncingAccount): Promise<CreatedExport> =>
  eventually(`identity of APIExport ${name}`, async () => {
    const found = (await adminIn(COMPUTE).get(`/apis/apis.kcp.io/v1alpha2/apiexports/${name}`)).expect(200);
    const { status } = found.json<KubeObject & { status?: { identityHash?: string } }>();
    if (!status?.identityHash) throw new Error(JSON.stringify(status));
    return { parent: COMPUTE, name, cluster, identityHash: status.identityHash };
  });

/** A workspace whose objects can be synced. */
export interface Consumer {
  readonly path: string;
  /** Logical cluster. */
  readonly cluster: string;
  readonly shard: TargetShard;
  /** kcp-admin, by way of the front proxy. */
  readonly owner: Client;
  /** At its shard: may write what only masters may. */
  readonly masters: Client;
}

/**
 * A workspace on a shard, the root shard unless another one is given, that has bound the compute export and accepted its claims; with
 * `targets` also SyncTargets, so that it can have some of its own. The scheduler leaves its namespaces alone that tests do not speak of.
 */
export async function createConsumer(shard: TargetShard = root, { targets = false } = {}): Promise<Consumer> {
  await computeWorkspace();
  const path = await createParent(shard.name);
  const owner = adminIn(path);
  // Before the binding, after which a scheduler would find a place for it.
  const nowhere = { metadata: { annotations: NOWHERE } };
  await eventually('the namespace default', async () => (await owner.mergePatch(`${NAMESPACES}/default`, nowhere)).expect(200));
  await bindTo(owner, COMPUTE_EXPORT);
  if (targets) await bindTo(owner, WORKLOAD_EXPORT);
  const found = (await owner.get('/apis/core.kcp.io/v1alpha1/logicalclusters/cluster')).expect(200).json<KubeObject>();
  const cluster = found.metadata?.annotations?.['kcp.io/cluster'] ?? '';
  return { path, cluster, shard, owner, masters: atShard(masters, shard).at(`/clusters/${cluster}`) };
}

/** Has the scheduler find no place. */
const NOWHERE = { [SPREAD_ANNOTATION]: '0' };

/** Has the scheduler choose so many of the targets with this mark. */
const placedOn = (mark: string, spread: number): Readonly<Record<string, string>> => ({
  [SELECTOR_ANNOTATION]: `e2e=${mark}`,
  [SPREAD_ANNOTATION]: String(spread),
});

/** A resource's intents as they are written on it: the state label of each target, by key. */
const statesOf = (targets: readonly Pick<CreatedSyncTarget, 'key'>[], state: string | null) =>
  Object.fromEntries(targets.map(({ key }) => [stateLabel(key), state]));

/**
 * Creates a namespace that is synced to exactly these targets, or to none, and stays so: the scheduler would choose them, too, if they share a mark.
 * One that is running wants heartbeats of them. `spec.unschedulable` of the targets keeps everybody else's away.
 */
export async function createSyncedNamespace(
  consumer: Consumer,
  targets: readonly CreatedSyncTarget[],
  name = `e2e-${uniqueSuffix()}`,
): Promise<string> {
  const metadata = {
    ...{ name, labels: statesOf(targets, 'Sync') },
    annotations: targets[0] === undefined ? NOWHERE : placedOn(targets[0].mark, targets.length),
  };
  (await consumer.masters.post(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })).expect(201);
  return name;
}

/** Changes labels, annotations and finalizers of an object as masters; null takes an entry away. Returns what is stored then. */
export async function mark(
  consumer: Consumer,
  path: string,
  metadata: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
    readonly finalizers?: readonly string[] | null;
  },
): Promise<KubeObject> {
  return (await consumer.masters.mergePatch(path, { metadata })).expect(200).json<KubeObject>();
}

/** Gives an object to targets: to `Sync`, to `Upsync`, pending (empty), or no more (null). */
export const setState = (
  consumer: Consumer,
  path: string,
  targets: readonly Pick<CreatedSyncTarget, 'key'>[],
  state: 'Sync' | 'Upsync' | '' | null,
): Promise<KubeObject> => mark(consumer, path, { labels: statesOf(targets, state) });

/** The object as its shard stores it. */
export async function storedIn(consumer: Consumer, path: string): Promise<KubeObject> {
  return (await consumer.masters.get(path)).expect(200).json<KubeObject>();
}

/** A Deployment of pods that do nothing. */
export const deployment = (name: string, replicas = 1, metadata: KubeObject['metadata'] = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...metadata, name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10' }] },
    },
  },
});

/** Creates a Deployment as the owner of the workspace; returns its path. `states`: targets that have it from the beginning. */
export async function createDeployment(
  consumer: Consumer,
  namespace: string,
  object: KubeObject,
  states: readonly Pick<CreatedSyncTarget, 'key'>[] = [],
): Promise<string> {
  const { metadata } = object;
  const labelled = { ...object, metadata: { ...metadata, labels: { ...metadata?.labels, ...statesOf(states, 'Sync') } } };
  await eventually(`creation of Deployment ${metadata?.name}`, async () =>
    (await consumer.owner.post(deploymentsIn(namespace), labelled)).expect(201),
  );
  return `${deploymentsIn(namespace)}/${metadata?.name}`;
}
