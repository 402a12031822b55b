/** Fills a shard with what is synced. Reads the target when it is loaded, as the helpers of the end-to-end tests do. */
import type { Client, Credentials } from '@kcp-vw/e2e/support/client.ts';
import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import { grantContent } from '@kcp-vw/e2e/support/exports.ts';
import { admin, atFrontProxy, atShard, certified, masters, target } from '@kcp-vw/e2e/support/identities.ts';
import { bindTo, COMPUTE, installSyncing } from '@kcp-vw/e2e/support/syncing-install.ts';
import { adminIn, admit, createParent } from '@kcp-vw/e2e/support/workspaces.ts';
import type { KubeList, KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import { COMPUTE_EXPORT } from '@kcp-vw/syncer-vw/manifests/exports.ts';
import { COMPUTE_VERBS, syncerRoles } from '@kcp-vw/syncer-vw/manifests/rbac.ts';
import { stateLabel } from '@kcp-vw/syncer-vw/transform/names.ts';
import { syncTargetKey } from '@kcp-vw/syncer-vw/transform/sync-target-key.ts';
import { accessAs, asMasters } from '../access.ts';
import { parallel } from '../parallel.ts';
import { type ContenderName, type Content, collectionOf, pathOf, type SyncerContender } from './cases.ts';
import * as content from './content.ts';

const PARALLEL_WRITES = 16;
/** Milliseconds. A heartbeat is good for a minute. */
const HEARTBEATS = 20_000;
/** Until controllers have added up all statuses, milliseconds. */
const SETTLED = 300_000;

const SYNC_TARGETS = '/apis/workload.kcp.io/v1alpha1/synctargets';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

export interface FilledContent extends Content {
  /** Ends the heartbeats. */
  stop(): void;
}

export interface FillOptions {
  /** Deployments that two targets share. */
  readonly objects: number;
  /** Of each contender, Deployments whose status is written for the first time. */
  readonly unreported: number;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

/** Resolves when controllers have nothing more to do with it. */
export async function fill({ objects, unreported, stop, say }: FillOptions): Promise<FilledContent> {
  const { cluster: compute } = await installSyncing(atFrontProxy(admin));
  const user = certified('bench-syncer');
  await admit(COMPUTE, user.name);
  await grantContent({ parent: COMPUTE, name: COMPUTE_EXPORT, cluster: compute, identityHash: '' }, user.name, COMPUTE_VERBS);
  const sharing = [
    await createTarget('bench-east', content.SHARED, user.name),
    await createTarget('bench-west', content.SHARED, user.name),
  ];
  const sole = await createTarget('bench-sole', content.SOLE, user.name);
  const all = [...sharing, sole];
  await beat(all);
  // A single one that is missed does no harm.
  const heart = setInterval(() => void beat(all).catch(error => say(`no heartbeat: ${error.message}`)), HEARTBEATS);
  const consumer = await createConsumer(sharing, sole);
  const first = Array.from({ length: unreported }, (_, index) => `first-${index}`);
  await createDeployments(consumer, { objects, sharing, sole, first, stop });

  const identityHash = await identityOf(COMPUTE_EXPORT);
  const [shared] = sharing;
  if (shared === undefined) throw new Error('there is no target');
  const selector = `labelSelector=${encodeURIComponent(`${stateLabel(shared.key)}=Sync`)}`;
  const contenders = contendersOf({ user, compute, consumer: consumer.cluster, shared, sole, identityHash, selector });
  const list = async (): Promise<KubeList> => {
    const found = await atShard(masters).get(`${collectionOf('/clusters/*', `:${identityHash}`)}?${selector}`);
    return found.expect(200).json<KubeList>();
  };
  await eventually(
    'all statuses to be added up',
    async () => {
      const { items } = await list();
      const open = items.filter(({ status }) => (status as { replicas?: number } | undefined)?.replicas !== 7).length;
      if (items.length !== objects || open > 0) throw new Error(`${items.length} are listed, of which ${open} are not`);
    },
    SETTLED,
  );

  const namespaceOf = (contender: ContenderName): string => (contender === 'syncer' ? content.SOLE : content.UNSYNCED);
  const pathFor = (contender: ContenderName, name: string): string => {
    const found = contenders.find(candidate => candidate.name === contender);
    if (found === undefined) throw new Error(`there is no ${contender}`);
    return pathOf(found.writing.one, namespaceOf(contender), name);
  };
  const used = new Map<string, number>();
  return {
    contenders,
    version: async () => (await list()).metadata?.resourceVersion ?? '',
    async unreported(contender, count) {
      // What is not synced is written alike by both of the others.
      const from = used.get(namespaceOf(contender)) ?? 0;
      used.set(namespaceOf(contender), from + count);
      const names = first.slice(from, from + count);
      if (names.length < count) throw new Error(`there are no ${count} objects left without a status`);
      return names.map(name => pathFor(contender, name));
    },
    reporting: (contender, isPromoted) => LANES.map(lane => pathFor(contender, laneName(lane, isPromoted))),
    stop: () => clearInterval(heart),
  };
}

const LANES: readonly number[] = Array.from({ length: content.LANE_COUNT }, (_, index) => index);
const laneName = (lane: number, isPromoted: boolean): string => `${isPromoted ? '' : 'un'}promoted-${lane}`;

interface Created {
  readonly objects: number;
  readonly sharing: readonly CreatedTarget[];
  readonly sole: CreatedTarget;
  /** Names. */
  readonly first: readonly string[];
  readonly stop: AbortSignal;
}

async function createDeployments({ shard }: Consumer, { objects, sharing, sole, first, stop }: Created): Promise<void> {
  const keys = sharing.map(({ key }) => key).sort();
  const create = (namespace: string, object: KubeObject): Promise<unknown> =>
    eventually(`creation of ${object.metadata?.name}`, async () =>
      (await shard.post(`/apis/apps/v1/namespaces/${namespace}/deployments`, object)).expect(201),
    );
  await parallel(objects, PARALLEL_WRITES, stop, index =>
    create(content.SHARED, content.sharedBy(content.deployment(`web-${index}`, index + 1), keys)),
  );
  // Without the view of the syncer there are others to be written, which nobody syncs.
  const createOf = (names: readonly string[], synced: (object: KubeObject, key: string) => KubeObject): Promise<void> =>
    parallel(names.length, PARALLEL_WRITES, stop, async index => {
      const object = content.deployment(names[index] ?? '', index + 1);
      await create(content.SOLE, synced(object, sole.key));
      await create(content.UNSYNCED, object);
    });
  await createOf([...LANES.map(lane => laneName(lane, true)), ...first], content.solelyOf);
  await createOf(
    LANES.map(lane => laneName(lane, false)),
    content.unpromotedOf,
  );
}

interface Asked {
  readonly user: Credentials;
  /** Logical clusters. */
  readonly compute: string;
  readonly consumer: string;
  readonly shared: CreatedTarget;
  readonly sole: CreatedTarget;
  readonly identityHash: string;
  readonly selector: string;
}

function contendersOf({ user, compute, consumer, shared, sole, identityHash, selector }: Asked): readonly SyncerContender[] {
  const access = accessAs(user, target.virtualWorkspaceURL);
  const viewOf = ({ name, uid }: CreatedTarget): string => `/services/syncer/${compute}/${name}/${uid}`;
  const exported = `/services/apiexport/${compute}/${COMPUTE_EXPORT}`;
  const one = `/clusters/${consumer}`;
  return [
    {
      ...{ name: 'syncer', access, all: collectionOf(`${viewOf(shared)}/clusters/*`, ''), selector: '' },
      ...{ one: viewOf(shared) + one, discovery: `${viewOf(shared)}/clusters/*` },
      writing: { access, one: viewOf(sole) + one },
    },
    {
      ...{ name: 'pass-through', access, all: collectionOf(`${exported}/clusters/*`, ''), selector },
      ...{ one: exported + one, discovery: `${exported}/clusters/*` },
      writing: { access, one: exported + one },
    },
    {
      ...{ name: 'shard', access: asMasters(), all: collectionOf('/clusters/*', `:${identityHash}`), selector },
      ...{ one, discovery: one },
      writing: { access: asMasters(), one },
    },
  ];
}

interface CreatedTarget {
  readonly name: string;
  readonly uid: string;
  readonly key: string;
}

const targets = adminIn(COMPUTE).at(SYNC_TARGETS);

/** A SyncTarget that this user may sync, and that takes all resources that there are. */
async function createTarget(name: string, mark: string, user: string): Promise<CreatedTarget> {
  const metadata = { name, labels: { [content.MARK]: mark } };
  const object = { apiVersion: 'workload.kcp.io/v1alpha1', kind: 'SyncTarget', metadata, spec: {} };
  const created = await eventually(`creation of SyncTarget ${name}`, async () => (await targets.post('', object)).expect(201));
  const { uid = '', annotations } = created.json<SyncTarget>().metadata ?? {};
  for (const role of syncerRoles(name, [{ kind: 'User', name: user }])) {
    const collection = role.kind === 'ClusterRole' ? 'clusterroles' : 'clusterrolebindings';
    (await adminIn(COMPUTE).post(`${RBAC}/${collection}`, role)).expect(201);
  }
  await eventually(`resources of SyncTarget ${name}`, async () => {
    const { metadata, status } = (await targets.get(`/${name}`)).expect(200).json<SyncTarget>();
    const known = status?.syncedResources ?? [];
    if (!known.some(({ resource }) => resource === 'deployments')) throw new Error(JSON.stringify(status));
    const syncedResources = known.map(one => ({ ...one, state: 'Accepted' }));
    const patch = { metadata: { resourceVersion: metadata?.resourceVersion }, status: { syncedResources } };
    (await targets.mergePatch(`/${name}/status`, patch)).expect(200);
  });
  return { name, uid, key: syncTargetKey({ cluster: annotations?.['kcp.io/cluster'] ?? '', name }) };
}

/** Says that the syncers are alive, and waits until that is believed. */
async function beat(of: readonly CreatedTarget[]): Promise<void> {
  for (const { name } of of) {
    const patch = { status: { lastSyncerHeartbeatTime: new Date().toISOString() } };
    (await targets.mergePatch(`/${name}/status`, patch)).expect(200);
    await eventually(`readiness of ${name}`, async () => {
      const { status } = (await targets.get(`/${name}`)).expect(200).json<SyncTarget>();
      const isReady = status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      if (!isReady) throw new Error(JSON.stringify(status?.conditions));
    });
  }
}

interface Consumer {
  /** Logical cluster. */
  readonly cluster: string;
  /** As masters. */
  readonly shard: Client;
}

/** A workspace with the three namespaces. */
async function createConsumer(sharing: readonly CreatedTarget[], sole: CreatedTarget): Promise<Consumer> {
  const path = await createParent();
  const owner = adminIn(path);
  await bindTo(owner, COMPUTE_EXPORT);
  const found = (await owner.get('/apis/core.kcp.io/v1alpha1/logicalclusters/cluster')).expect(200).json<KubeObject>();
  const cluster = found.metadata?.annotations?.['kcp.io/cluster'] ?? '';
  const shard = atShard(masters).at(`/clusters/${cluster}`);
  const keys = { [content.SHARED]: sharing.map(({ key }) => key), [content.SOLE]: [sole.key], [content.UNSYNCED]: [] };
  for (const [name, of] of Object.entries(keys))
    (await shard.post('/api/v1/namespaces', content.namespace(name, of))).expect(201);
  return { cluster, shard };
}

const identityOf = (exported: string): Promise<string> =>
  eventually(`identity of APIExport ${exported}`, async () => {
    const found = (await adminIn(COMPUTE).get(`/apis/apis.kcp.io/v1alpha2/apiexports/${exported}`)).expect(200);
    const { identityHash } = found.json<KubeObject & { status?: { identityHash?: string } }>().status ?? {};
    if (!identityHash) throw new Error('it has none yet');
    return identityHash;
  });
