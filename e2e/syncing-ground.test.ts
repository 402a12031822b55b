/**
 * What syncing stands on: an account without any privileges reaches the objects of the exports of `root:compute` on every shard, by way of
 * the exports' views.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeList, KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { viewOfExport } from './support/exports.ts';
import { atFrontProxy, target } from './support/identities.ts';
import type { Status } from './support/kube.ts';
import {
  COMPUTE,
  type Compute,
  type Consumer,
  computeWorkspace,
  createConsumer,
  createDeployment,
  createSyncedNamespace,
  deployment,
  mark,
  NAMESPACES,
  storedIn,
} from './support/syncing.ts';
import { beat, createSyncTarget, deleteSyncTarget, SYNC_TARGETS, storedSyncTarget } from './support/syncing-targets.ts';
import { adminIn, uniqueSuffix } from './support/workspaces.ts';

type Stored = KubeObject & {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
};

const API = '/apis/apps/v1/deployments';
const CLAIMED = ['configmaps', 'namespaces', 'secrets', 'serviceaccounts'];
const namesIn = ({ items }: KubeList): string[] => items.map(({ metadata }) => metadata?.name ?? '').sort();

const isOfCompute = ({ spec }: KubeObject): boolean => {
  const { reference } = spec as { reference: { export: { path: string; name: string } } };
  return reference.export.path === COMPUTE && reference.export.name === compute.compute.name;
};

let compute: Compute;
/** The account at the front proxy. */
let account: Client;

beforeAll(async () => {
  compute = await computeWorkspace();
  account = atFrontProxy(compute.credentials);
}, 180_000);

describe('the account of syncer-vw', () => {
  test('is told who it is, and is nobody with privileges', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const answer = await account.post(`/clusters/${COMPUTE}/apis/authentication.k8s.io/v1/selfsubjectreviews`, review);
    const { status } = answer.expect(201).json<{ status: { userInfo: { username: string; groups: string[] } } }>();
    expect(status.userInfo.username).toBe('system:serviceaccount:syncer-vw:syncer-vw');
    expect(status.userInfo.groups).toContain('system:serviceaccounts');
    expect(status.userInfo.groups).not.toContain('system:masters');
  });

  test('lists and watches the shards, and does no more with them', async () => {
    const shards = account.at('/clusters/root/apis/core.kcp.io/v1alpha1/shards');
    const list = await eventually('access to shards', async () => (await shards.get('')).expect(200));
    const { items, metadata } = list.json<KubeList>();
    expect(namesIn({ items })).toEqual(target.shards.map(({ name }) => name).sort());
    expect(items.every(({ spec }) => Boolean((spec as { virtualWorkspaceURL?: string }).virtualWorkspaceURL))).toBe(true);
    const watch = await shards.watch(`?resourceVersion=${metadata?.resourceVersion}&timeoutSeconds=5`);
    watch.close();
    (await shards.mergePatch('/root', { metadata: { labels: { e2e: 'refused' } } })).expect(403);
  });

  test('holds a lease where it is at home', async () => {
    const name = `e2e-${uniqueSuffix()}`;
    const leases = account.at(`/clusters/${COMPUTE}/apis/coordination.k8s.io/v1/namespaces/syncer-vw/leases`);
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec: { holderIdentity: 'one' } };
    const created = await eventually('a lease', async () => (await leases.post('', lease)).expect(201));
    const first = created.json<Stored>();
    const second = { ...first, spec: { holderIdentity: 'two' } };
    const updated = (await leases.put(`/${name}`, second)).expect(200).json<Stored>();
    expect(updated.spec).toMatchObject({ holderIdentity: 'two' });
    const refused = (await leases.put(`/${name}`, { ...first, spec: { holderIdentity: 'three' } })).expect(409);
    expect(refused.json<Status>().reason).toBe('Conflict');
  });

  test('reads what it exports', async () => {
    const home = account.at(`/clusters/${COMPUTE}/apis/apis.kcp.io`);
    const exports = await eventually('access', async () => (await home.get('/v1alpha2/apiexports')).expect(200));
    expect(namesIn(exports.json<KubeList>())).toEqual([compute.compute.name, compute.workload.name]);
    const schemas = (await home.get('/v1alpha1/apiresourceschemas')).expect(200).json<KubeList>();
    expect(schemas.items).toHaveLength(6);
    (await home.watch('/v1alpha1/apiresourceschemas')).close();
    (await home.mergePatch(`/v1alpha2/apiexports/${compute.compute.name}`, { metadata: { labels: { e2e: 'no' } } })).expect(403);
  });

  test('does not get at workspaces but through views', async () => {
    const { cluster } = await createConsumer();
    (await account.get(`/clusters/${cluster}${API}`)).expect(403);
  });
});

describe('a SyncTarget', () => {
  test('has defaults, and a name that can stand in labels', async () => {
    const created = await createSyncTarget();
    expect(created.cluster).toBe(compute.account.cluster);
    expect(await storedSyncTarget(created)).toMatchObject({
      metadata: { uid: created.uid, labels: { e2e: created.mark } },
      spec: { unschedulable: false, supportedAPIExports: [{ export: 'kubernetes' }] },
    });
    const targets = adminIn(COMPUTE).at(SYNC_TARGETS);
    const object = { apiVersion: 'workload.kcp.io/v1alpha1', kind: 'SyncTarget', metadata: { name: 'a'.repeat(235) } };
    (await targets.post('', object)).expect(422);
    await deleteSyncTarget(created);
    (await targets.get(`/${created.name}`)).expect(404);
  });

  test('is read by its syncer alone, who reports that it is alive', async () => {
    const [created, other] = [await createSyncTarget(), await createSyncTarget()];
    await beat(created);
    const targets = atFrontProxy(created.syncer).at(`/clusters/${COMPUTE}${SYNC_TARGETS}`);
    expect((await storedSyncTarget(created)).status?.lastSyncerHeartbeatTime).toBeDefined();
    const own = `?fieldSelector=metadata.name=${created.name}`;
    expect(namesIn((await targets.get(own)).expect(200).json<KubeList>())).toEqual([created.name]);
    (await targets.watch(own)).close();
    for (const path of ['', `/${other.name}`, `?fieldSelector=metadata.name=${other.name}`])
      (await targets.get(path)).expect(403);
    (await targets.mergePatch(`/${created.name}`, { spec: { unschedulable: true } })).expect(403);
    (await targets.mergePatch(`/${other.name}/status`, { status: {} })).expect(403);
  });

  test('can be made in a workspace that has objects of its own to be synced', async () => {
    const consumer = await createConsumer(target.shards.at(-1), { targets: true });
    const created = await createSyncTarget({ workspace: consumer.path });
    expect(created.cluster).toBe(consumer.cluster);
    await beat(created);
  });
});

describe.each(target.shards.map(shard => ({ on: shard.name, shard })))('the views of the exports on $on', ({ shard }) => {
  let consumer: Consumer;
  /** The view of the compute export. */
  let view: Client;
  /** The same, for the objects of the consumer. */
  let content: Client;

  const created = async (name: string, replicas = 3): Promise<string> =>
    createDeployment(consumer, 'default', deployment(name, replicas, { labels: { e2e: name } }));
  const read = async (path: string): Promise<Stored> => (await content.get(path)).expect(200).json<Stored>();

  beforeAll(async () => {
    consumer = await createConsumer(shard);
    view = viewOfExport(compute.compute, compute.credentials, shard);
    content = view.at(`/clusters/${consumer.cluster}`);
    await eventually('access', async () => (await view.get(`/clusters/*${API}`)).expect(200));
  }, 180_000);

  test('have what is exported and what is claimed, of all workspaces', async () => {
    await created('listed');
    const resources = ['/api/v1/services', '/api/v1/pods', '/api/v1/persistentvolumes', '/apis/networking.k8s.io/v1/ingresses'];
    for (const resource of [...resources, ...CLAIMED.map(name => `/api/v1/${name}`)]) {
      // A shard may say that it is only about to serve what has just been bound (429).
      for (const [at, client] of [
        ['/clusters/*', view],
        ['', content],
      ] as const) {
        await eventually(resource, async () => (await client.get(`${at}${resource}`)).expect(200));
      }
    }
    const all = (await view.get(`/clusters/*${API}?labelSelector=e2e=listed`)).expect(200).json<KubeList>();
    expect(all.items.map(clusterOf)).toContain(consumer.cluster);
    await eventually('the claimed objects', async () => {
      const namespaces = (await view.get('/clusters/*/api/v1/namespaces')).json<KubeList>().items;
      expect(namesIn({ items: namespaces.filter(one => clusterOf(one) === consumer.cluster) })).toContain('default');
    });
  });

  test('tell which workspaces have bound the export', async () => {
    const bindings = '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings';
    const consumers = async (): Promise<readonly string[]> =>
      (await view.get(bindings)).expect(200).json<KubeList>().items.filter(isOfCompute).map(clusterOf);
    expect(await consumers()).toContain(consumer.cluster);
    const watch = await view.watch(bindings);
    const { cluster } = await createConsumer(shard);
    await watch.until('the binding of another', ({ object }) => clusterOf(object as KubeObject) === cluster);
    expect(await consumers()).toContain(cluster);
  });

  test('have the SyncTargets of all workspaces, which are told what is known of them', async () => {
    const { path, cluster } = await createConsumer(shard, { targets: true });
    const { name, uid } = await createSyncTarget({ workspace: path });
    const targets = viewOfExport(compute.workload, compute.credentials, shard);
    const all = await eventually('access', async () => (await targets.get(`/clusters/*${SYNC_TARGETS}`)).expect(200));
    const found = all.json<KubeList>().items.find(one => one.metadata?.uid === uid);
    expect(found).toMatchObject({ metadata: { name, annotations: { 'kcp.io/cluster': cluster } } });
    const own = targets.at(`/clusters/${cluster}${SYNC_TARGETS}/${name}`);
    const labels = { 'e2e.workload.kcp.io/told': 'yes' };
    (await own.mergePatch('', { metadata: { uid, labels } })).expect(200);
    const condition = { type: 'E2E', status: 'True', lastTransitionTime: '2024-01-01T00:00:00Z' };
    const told = (await own.mergePatch('/status', { metadata: { uid }, status: { conditions: [condition] } })).expect(200);
    expect(told.json<Stored>()).toMatchObject({ metadata: { labels }, status: { conditions: [condition] } });
    const twice = await own.mergePatch('/status', { status: { conditions: [condition, condition] } });
    expect(twice.expect(422).json<Status>().message).toContain('status.conditions[1]: Duplicate value: {"type":"E2E"}');
    (await own.delete('')).expect(403);
  });

  test('take what syncers bring, and objects with all that they may have', async () => {
    const labels = { 'e2e.workload.kcp.io/K': 'Upsync', e2e: 'brought' };
    const container = {
      ...{ name: 'main', image: 'pause', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: 'b' }] },
      resources: { requests: { cpu: 1, memory: '64Mi' }, limits: { cpu: '1500m' } },
      readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
    };
    const name = `e2e-${uniqueSuffix()}`;
    const inDefault = '/api/v1/namespaces/default';
    const objects: readonly (readonly [string, KubeObject])[] = [
      [`${inDefault}/pods`, { apiVersion: 'v1', kind: 'Pod', spec: { containers: [container] } }],
      [
        '/api/v1/persistentvolumes',
        { apiVersion: 'v1', kind: 'PersistentVolume', spec: { capacity: { storage: '1Gi' }, hostPath: { path: '/a' } } },
      ],
      [
        `${inDefault}/services`,
        { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 80, targetPort: 'http' }], selector: { app: 'a' } } },
      ],
      [
        '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
        {
          ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
          spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
        },
      ],
    ];
    for (const [path, object] of objects) {
      const stored = (await content.post(path, { ...object, metadata: { name, labels } })).expect(201).json<Stored>();
      expect(stored).toMatchObject({ metadata: { labels }, spec: object.spec });
      expect(stored.status).toBeUndefined();
      (await content.delete(`${path}/${name}`)).expect(200);
    }
  });

  test('make nothing of what is claimed only', async () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made' } };
    (await content.post('/api/v1/namespaces/default/configmaps', configMap)).expect(403);
    (await content.delete('/api/v1/namespaces/default/configmaps/kube-root-ca.crt')).expect(403);
    (await content.post(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made' } })).expect(403);
  });

  test('tell of changes', async () => {
    const watch = await view.watch(`/clusters/*${API}?labelSelector=e2e=watched`);
    const path = await created('watched');
    await watch.until('ADDED', ({ type }) => type === 'ADDED');
    await mark(consumer, path, { labels: { e2e: 'changed' } });
    await watch.until('DELETED', ({ type }) => type === 'DELETED');
  });

  test('show what Kubernetes puts into every namespace, and put it there again', async () => {
    const name = await createSyncedNamespace(consumer, []);
    const certificates = `${NAMESPACES}/${name}/configmaps/kube-root-ca.crt`;
    const all = [certificates, `${NAMESPACES}/${name}/serviceaccounts/default`];
    for (const path of all) await eventually(path, () => read(path));
    expect(await read(certificates)).toMatchObject({
      metadata: { annotations: { 'kubernetes.io/description': expect.stringContaining('CA bundle') } },
      data: { 'ca.crt': expect.stringContaining('BEGIN CERTIFICATE') },
    });
    const { metadata } = await storedIn(consumer, certificates);
    (await consumer.owner.delete(certificates)).expect(200);
    await eventually(`${certificates} again`, async () =>
      expect((await storedIn(consumer, certificates)).metadata?.uid).not.toBe(metadata?.uid),
    );
  });

  test('let a review be made in the workspace of a SyncTarget', async () => {
    const { cluster, name, workspace, syncer } = await createSyncTarget();
    expect(workspace).toBe(COMPUTE);
    const reviews = viewOfExport(compute.workload, compute.credentials, target.shards[0]).at(
      `/clusters/${cluster}/apis/authorization.k8s.io/v1/subjectaccessreviews`,
    );
    const resourceAttributes = { verb: 'sync', group: 'workload.kcp.io', resource: 'synctargets', name };
    const ask = async (user: string, extra: Record<string, string[]> = {}): Promise<boolean> => {
      const spec = { user, groups: ['system:serviceaccounts', 'system:authenticated'], extra, resourceAttributes };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      const answer = await eventually('a review', async () => (await reviews.post('', review)).expect(201));
      return answer.json<{ status: { allowed: boolean } }>().status.allowed;
    };
    const user = `system:serviceaccount:default:${syncer.name}`;
    const extra = { 'authentication.kcp.io/cluster-name': [cluster], 'authentication.kcp.io/scopes': [`cluster:${cluster}`] };
    await eventually('the role of the syncer', async () => expect(await ask(user, extra)).toBe(true));
    expect(await ask('system:serviceaccount:default:another', extra)).toBe(false);
  });
});
