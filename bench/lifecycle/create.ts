import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import { atShard, atVirtualWorkspaces, certified, masters } from '@kcp-vw/e2e/support/identities.ts';
import { initializing } from '@kcp-vw/e2e/support/lifecycle.ts';
import { Scenario } from '@kcp-vw/e2e/support/scenario.ts';
import { admit, grant, LOGICAL_CLUSTERS, storedLogicalCluster } from '@kcp-vw/e2e/support/workspaces.ts';
import { INITIALIZING, selectorFor } from '@kcp-vw/initializer-vw/lifecycle.ts';
import { identity } from '@kcp-vw/shared/authn/identity.ts';
import { impersonationHeaders } from '@kcp-vw/shared/authn/impersonation.ts';
import { accessAtPort, asMasters, inTheNameOf } from '../access.ts';
import { configMap } from '../objects.ts';
import { parallel } from '../parallel.ts';
import { type Workload, watchesOf } from '../workload.ts';
import { CREATED, EVENTS, LOGICAL_CLUSTER_COUNT, namespaceOf, SIZES } from './content.ts';
import type { LifecyclePaths } from './paths.ts';

const PARALLEL_WRITES = 16;
/** Each is created and initialized by half a dozen of kcp's controllers. */
const PARALLEL_WORKSPACES = 4;

/** Takes about a minute. */
export async function createLifecycle(say: (text: string) => void, stop: AbortSignal): Promise<Workload<LifecyclePaths>> {
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
  const creator = (await storedLogicalCluster(scenario.cluster)).spec.createdBy;
  if (creator === undefined) throw new Error(`the logical cluster ${scenario.cluster} does not say who created it`);

  const owner = identity(creator.username, creator.groups ?? [], creator.uid, creator.extra);
  const bare = `/clusters/${scenario.cluster}`;
  const selected = `?labelSelector=${encodeURIComponent(selectorFor(INITIALIZING, scenario.name))}`;
  const logicalClusters = `/clusters/*${LOGICAL_CLUSTERS}${selected}`;
  return {
    shard: {
      name: 'shard',
      access: asMasters(),
      paths: { content: bare, logicalClusters, discovery: `${bare}/apis/core.kcp.io/v1alpha1` },
      watches: Number.POSITIVE_INFINITY,
      pids: [],
    },
    impersonating: {
      name: 'shard-as-owner',
      access: inTheNameOf(owner),
      paths: { content: bare },
      watches: Number.POSITIVE_INFINITY,
      pids: [],
    },
    service: 'initializer-vw',
    served: `${prefix}/clusters/*/apis`,
    view: (name, port, pids) => ({
      name,
      access: accessAtPort(user, port),
      paths: {
        content,
        logicalClusters: `${prefix}/clusters/*${LOGICAL_CLUSTERS}`,
        discovery: `${prefix}/clusters/*/apis/core.kcp.io/v1alpha1`,
      },
      watches: watchesOf(name),
      pids,
    }),
    proxy: (name, port, pids) => ({
      name,
      access: accessAtPort(user, port),
      paths: { content: bare, logicalClusters },
      watches: 0,
      pids,
    }),
    proxied: { prefix: bare, headers: impersonationHeaders(owner) },
  };
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
