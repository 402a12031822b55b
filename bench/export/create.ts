import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import { accept, bindExport, type CreatedExport, createExport, grantContent, viewOfExport } from '@kcp-vw/e2e/support/exports.ts';
import { atShard, certified, masters } from '@kcp-vw/e2e/support/identities.ts';
import type { ConfigMap, KubeObject, List } from '@kcp-vw/e2e/support/kube.ts';
import { admit, createParent, createWorkspace, isReady, workspaceWhere } from '@kcp-vw/e2e/support/workspaces.ts';
import { identity } from '@kcp-vw/shared/authn/identity.ts';
import { accessAtPort, asMasters, inTheNameOf } from '../access.ts';
import { configMap } from '../objects.ts';
import { parallel } from '../parallel.ts';
import { type Workload, watchesOf } from '../workload.ts';
import * as content from './content.ts';
import { collection, type ExportPaths } from './paths.ts';

const PARALLEL_WRITES = 16;
/** Each is created and initialized by half a dozen of kcp's controllers. */
const PARALLEL_WORKSPACES = 4;
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
/** A wildcard list of all objects is not there before all servers have seen all bindings. */
const SERVED_LIMIT = 60_000;

type Shard = ReturnType<typeof atShard>;

/** Takes about a minute. */
export async function createExportWorkload(say: (text: string) => void, stop: AbortSignal): Promise<Workload<ExportPaths>> {
  say(`creating an export with ${content.CONSUMER_COUNT} consumers`);
  const exported = await createExport(await createParent(), {
    resources: content.RESOURCES,
    claims: [content.CONFIG_MAPS, content.SECRETS],
  });
  const consumers = await createConsumers(exported, stop);
  const user = certified('bench-user');
  await admit(exported.parent, user.name);
  await grantContent(exported, user.name, VERBS);

  say(`filling each of them with ${content.WIDGET_COUNT} objects`);
  const [first = ''] = consumers;
  await parallel(consumers.length, 2, stop, index => fillWithWidgets(consumers[index] ?? '', index, stop));
  await fillWithTheRest(first, stop);
  const paths = pathsOf(exported, first, await claimSelector(first));
  const served = content.CONSUMER_COUNT * content.WIDGET_COUNT;
  await eventually(
    `a list of ${served} objects as the user`,
    async () => {
      const list = await viewOfExport(exported, user).get(`/clusters/*${collection('', 'widgets', paths.view)}`);
      const { items } = list.expect(200).json<List<KubeObject>>();
      if (items.length !== served) throw new Error(`it has ${items.length}`);
    },
    SERVED_LIMIT,
  );

  const direct = { watches: Number.POSITIVE_INFINITY, pids: [] };
  return {
    shard: { name: 'shard', access: asMasters(), paths: paths.shard, ...direct },
    impersonating: {
      name: 'shard-as-caller',
      access: inTheNameOf(withWarrant(user.name, first)),
      paths: withoutAll(paths.shard),
      ...direct,
    },
    service: 'apiexport-vw',
    served: `/services/apiexport/${exported.cluster}/${exported.name}/clusters/*/apis`,
    view: (name, port, pids) => ({
      name,
      access: accessAtPort(user, port),
      paths: viewPathsFor(name, paths.view),
      watches: watchesOf(name),
      pids,
    }),
    proxy: (name, port, pids) => ({
      name,
      access: accessAtPort(user, port),
      paths: withoutDiscovery(paths.shard),
      watches: 0,
      pids,
    }),
    proxied: { prefix: '/clusters', headers: [] },
  };
}

/** Names of the logical clusters that bind the export and accept its claims. */
async function createConsumers(exported: CreatedExport, stop: AbortSignal): Promise<string[]> {
  const clusters: string[] = [];
  const claims = [accept(content.CONFIG_MAPS), accept(content.SECRETS, { matchLabels: content.TEAM })];
  await parallel(content.CONSUMER_COUNT, PARALLEL_WORKSPACES, stop, async () => {
    const { metadata, spec } = await createWorkspace('root', { path: 'root', name: 'universal' });
    await workspaceWhere('is Ready', 'root', metadata.name, isReady);
    await bindExport(`root:${metadata.name}`, exported, claims);
    clusters.push(spec.cluster);
  });
  return clusters;
}

const at = (cluster: string): Shard => atShard(masters).at(`/clusters/${cluster}`);

async function fillWithWidgets(cluster: string, number: number, stop: AbortSignal): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: content.NAMESPACE } };
  (await at(cluster).post('/api/v1/namespaces', namespace)).expect(201);
  const widgets = exportedAt(cluster, 'widgets');
  await parallel(content.WIDGET_COUNT, PARALLEL_WRITES, stop, async index => {
    const seed = number * content.WIDGET_COUNT + index + 1;
    (await widgets.post('', content.exported('Widget', `widget-${index}`, seed))).expect(201);
  });
}

async function fillWithTheRest(cluster: string, stop: AbortSignal): Promise<void> {
  const claimed = at(cluster).at(`/api/v1/namespaces/${content.NAMESPACE}`);
  await parallel(content.LANE_COUNT, PARALLEL_WRITES, stop, async lane => {
    (await exportedAt(cluster, 'gadgets').post('', content.exported('Gadget', `gadget-${lane}`))).expect(201);
    (await claimed.post('/secrets', content.secret(`secret-${lane}`, 'none'))).expect(201);
  });
  await parallel(content.CONFIG_MAP_COUNT, PARALLEL_WRITES, stop, async index => {
    (await claimed.post('/configmaps', configMap(`map-${index}`, index + 1))).expect(201);
  });
}

const exportedAt = (cluster: string, plural: string): Shard =>
  at(cluster).at(`/apis/${content.GROUP}/${content.VERSION}/namespaces/${content.NAMESPACE}/${plural}`);

/** The shard marks what a claim reaches with a label of its own. */
const CLAIM_LABEL = 'claimed.internal.apis.kcp.io/';

/** Waits until all configmaps carry the label of the claim, which selects them. */
async function claimSelector(cluster: string): Promise<string> {
  const configMaps = `/api/v1/namespaces/${content.NAMESPACE}/configmaps`;
  return eventually('labels of the claimed configmaps', async () => {
    const found = (await at(cluster).get(`${configMaps}/map-0`)).expect(200).json<ConfigMap>();
    const label = Object.entries(found.metadata.labels ?? {}).find(([key]) => key.startsWith(CLAIM_LABEL));
    if (label === undefined) throw new Error(JSON.stringify(found.metadata));
    const selector = `?labelSelector=${encodeURIComponent(label.join('='))}`;
    const { items } = (await at(cluster).get(`${configMaps}${selector}`)).expect(200).json<List<ConfigMap>>();
    if (items.length < content.CONFIG_MAP_COUNT) throw new Error(`${items.length} are labelled`);
    return selector;
  });
}

function pathsOf({ cluster, identityHash, name }: CreatedExport, consumer: string, claimed: string) {
  const one = `/clusters/${consumer}`;
  const view = `/services/apiexport/${cluster}/${name}`;
  const shard: ExportPaths = {
    one,
    all: '/clusters/*',
    identity: `:${identityHash}`,
    claimed,
    isWritten: true,
    discovery: one,
    aggregates: false,
  };
  const ours: ExportPaths = {
    one: `${view}${one}`,
    all: `${view}/clusters/*`,
    identity: '',
    claimed: '',
    isWritten: true,
    discovery: `${view}/clusters/*`,
    aggregates: true,
  };
  return { shard, view: ours };
}

const withoutDiscovery = ({ discovery: _, ...paths }: ExportPaths): ExportPaths => paths;

/** Of one consumer only: no caller has rights in all logical clusters. */
const withoutAll = ({ all: _, ...paths }: ExportPaths): ExportPaths => withoutDiscovery(paths);

/** Impersonating reads differ from others in one logical cluster only. */
function viewPathsFor(name: string, paths: ExportPaths): ExportPaths {
  if (name === 'fleet-impersonate') return { ...withoutAll(paths), isWritten: false };
  return { ...paths, aggregates: name !== 'kcp-go' };
}

/** The caller as a view of exports has to send him: with a warrant for kcp's admin in the consumer. */
function withWarrant(user: string, cluster: string) {
  const warrant = {
    user: 'system:serviceaccount:default:rest',
    groups: ['system:kcp:admin'],
    extra: { 'authentication.kcp.io/cluster-name': [cluster] },
  };
  const extra = { 'authorization.kcp.io/warrant': [JSON.stringify(warrant)] };
  return identity(user, ['system:authenticated'], '', extra);
}
