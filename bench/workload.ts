/** What is measured: a workspace that waits for its type, full of configmaps, and logical clusters beside it. */
import type { Credentials } from '@kcp-vw/e2e/support/client.ts';
import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import { atShard, atVirtualWorkspaces, certified, masters, target } from '@kcp-vw/e2e/support/identities.ts';
import { initializing } from '@kcp-vw/e2e/support/lifecycle.ts';
import { Scenario } from '@kcp-vw/e2e/support/scenario.ts';
import { admit, grant, LOGICAL_CLUSTERS, storedLogicalCluster } from '@kcp-vw/e2e/support/workspaces.ts';
import { INITIALIZING, selectorFor } from '@kcp-vw/initializer-vw/lifecycle.ts';
import { identity } from '@kcp-vw/shared/authn/identity.ts';
import { impersonationHeaders } from '@kcp-vw/shared/authn/impersonation.ts';
import { CREATED, configMap, EVENTS, LOGICAL_CLUSTER_COUNT, namespaceOf, SIZES } from './content.ts';
import type { Access, Contender, ContenderName } from './target.ts';

/** kcp's own server takes a watch for an ordinary request: beyond its `--max-requests-inflight` it answers 429. */
const GO_WATCHES = 400;

const PARALLEL_WRITES = 16;
/** Each is created and initialized by half a dozen of kcp's controllers. */
const PARALLEL_WORKSPACES = 4;

export interface Workload {
  /** The shard itself, with the rights of masters, and with what every view must do: impersonate the workspace's owner. */
  readonly shard: Contender;
  readonly 'shard-as-owner': Contender;
  /** A server of virtual workspaces at the port. */
  view(name: ContenderName, port: number, pids: readonly number[]): Contender;
  /** A proxy that passes the shard's paths on, in the name of the owner where they lead into the workspace. */
  proxy(name: ContenderName, port: number, pids: readonly number[]): Contender;
  /** The headers that say so; names and values alternate. */
  readonly impersonation: readonly string[];
}

/** Fills the target that `E2E_TARGET` describes; takes about a minute. */
export async function createWorkload(say: (text: string) => void, stop: AbortSignal): Promise<Workload> {
  say('creating workspaces that wait for their type');
  const scenario = await Scenario.create(initializing);
  await parallel(LOGICAL_CLUSTER_COUNT - 1, PARALLEL_WORKSPACES, stop, () => scenario.another());

  const user = certified('bench-user');
  await admit(scenario.type.parent, user.name);
  await grant(scenario.type, user.name, initializing.verb);
  const prefix = `/services/${initializing.view}/${scenario.name}`;
  const content = `${prefix}/clusters/${scenario.cluster}`;
  await eventually('access of the user', async () =>
    (await atVirtualWorkspaces(user).get(`${content}/api/v1/namespaces`)).expect(200),
  );

  say(`filling one of them with ${SIZES.join(', ')} configmaps`);
  await fill(scenario.cluster, stop);
  const owner = (await storedLogicalCluster(scenario.cluster)).spec.createdBy;
  if (owner === undefined) throw new Error(`the logical cluster ${scenario.cluster} does not say who created it`);

  const impersonation = impersonationHeaders(identity(owner.username, owner.groups ?? [], owner.uid, owner.extra));
  const atShardAsMasters = accessAs(masters, target.shardURL);
  const bare = `/clusters/${scenario.cluster}`;
  const selected = `?labelSelector=${encodeURIComponent(selectorFor(INITIALIZING, scenario.name))}`;
  const logicalClusters = `/clusters/*${LOGICAL_CLUSTERS}${selected}`;
  return {
    shard: {
      name: 'shard',
      access: atShardAsMasters,
      content: bare,
      logicalClusters,
      discovery: `${bare}/apis/core.kcp.io/v1alpha1`,
      watches: Number.POSITIVE_INFINITY,
      pids: [],
    },
    'shard-as-owner': {
      name: 'shard-as-owner',
      access: { ...atShardAsMasters, headers: recordOf(impersonation) },
      content: bare,
      watches: Number.POSITIVE_INFINITY,
      pids: [],
    },
    view: (name, port, pids) => ({
      name,
      access: accessAs(user, `https://127.0.0.1:${port}`),
      content,
      logicalClusters: `${prefix}/clusters/*${LOGICAL_CLUSTERS}`,
      discovery: `${prefix}/clusters/*/apis/core.kcp.io/v1alpha1`,
      watches: name === 'kcp-go' ? GO_WATCHES : Number.POSITIVE_INFINITY,
      pids,
    }),
    proxy: (name, port, pids) => ({
      name,
      access: accessAs(user, `https://127.0.0.1:${port}`),
      content: bare,
      logicalClusters,
      watches: 0,
      pids,
    }),
    impersonation,
  };
}

function accessAs({ keyPair, name }: Credentials, url: string): Access {
  if (keyPair === undefined) throw new Error(`${name} has no certificate`);
  return { url, authority: target.servingAuthority, keyPair, headers: {} };
}

/** The headers by name, each with all of its values. */
function recordOf(headers: readonly string[]): Access['headers'] {
  const record: Record<string, string[]> = {};
  headers.forEach((name, i) => {
    if (i % 2 === 0) record[name.toLowerCase()] = [...(record[name.toLowerCase()] ?? []), headers[i + 1] ?? ''];
  });
  return record;
}

async function fill(cluster: string, stop: AbortSignal): Promise<void> {
  const content = atShard(masters).at(`/clusters/${cluster}/api/v1/namespaces`);
  for (const name of [...SIZES.map(namespaceOf), CREATED, EVENTS]) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    (await content.post('', namespace)).expect(201);
  }
  for (const size of SIZES) {
    const maps = content.at(`/${namespaceOf(size)}/configmaps`);
    await parallel(size, PARALLEL_WRITES, stop, async index => {
      (await maps.post('', configMap(`map-${index}`, index + 1))).expect(201);
    });
  }
}

/** Does something `count` times, so many at a time. */
async function parallel(
  count: number,
  width: number,
  stop: AbortSignal,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      stop.throwIfAborted();
      await work(next++);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
