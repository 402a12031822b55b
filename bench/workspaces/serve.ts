import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createEngine } from '@kcp-vw/shared/answer/engine.ts';
import { createCallerReader } from '@kcp-vw/shared/authn/request-headers.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import type { ApiResource } from '@kcp-vw/shared/kube/discovery.ts';
import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';
import { createListener, type Listener } from '@kcp-vw/shared/listener/listener.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createApiDocuments } from '@kcp-vw/shared/view/documents.ts';
import { createViewHost } from '@kcp-vw/shared/view/host.ts';
import type { View } from '@kcp-vw/shared/view/view.ts';
import type { WorkspaceIndex } from '@kcp-vw/workspaces-vw/index/snapshot.ts';
import { createKnowledge } from '@kcp-vw/workspaces-vw/knowledge.ts';
import { createIndexSource } from '@kcp-vw/workspaces-vw/sight/index-source.ts';
import { workspacesView } from '@kcp-vw/workspaces-vw/workspaces-view.ts';

const column = (name: string, jsonPath: string, type: TableColumn['type'] = 'string'): TableColumn => ({
  name,
  type,
  description: '',
  priority: 0,
  jsonPath,
});

/** As kcp's own export describes it. */
const WORKSPACES: readonly ApiResource[] = Object.freeze<ApiResource[]>([
  {
    group: 'tenancy.kcp.io',
    version: 'v1alpha1',
    name: 'workspaces',
    singularName: 'workspace',
    kind: 'Workspace',
    namespaced: false,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    columns: [
      column('Type', '.spec.type.name'),
      column('Region', ".metadata.labels['region']"),
      column('Phase', '.status.phase'),
      column('URL', '.spec.URL'),
      column('Age', '.metadata.creationTimestamp', 'date'),
    ],
  },
]);

/** All shards are heard from all the time. */
const FRESH = { whyNot: () => undefined, onStale: () => () => undefined };

/**
 * The view as a service of the fleet serves it to the front proxy on its own host: HTTP/1.1 on a Unix socket, identities in headers. Of a
 * process only its audit log, its metrics and its traces are missing.
 */
export function serveIndex(index: WorkspaceIndex, socketPath: string): Promise<Listener> {
  const view = workspacesView({
    index,
    access: createIndexSource(index),
    knowledge: createKnowledge(index, FRESH),
    api: { resources: () => WORKSPACES },
    upstreamOf: () => undefined,
    rootShard: () => undefined,
    mayCreate: async () => false,
    ready: {},
  });
  const host = createViewHost({
    views: [view as View],
    // Nothing that is read is asked of a shard.
    engine: createEngine({ shard: fakeUpstream(() => 'unreachable'), drain: createDrain() }),
    documents: createApiDocuments('127.0.0.1:6443'),
    onError: fail,
  });
  const callerOf = createCallerReader();
  return createListener({
    address: { socketPath },
    limits: DEFAULT_LIMITS,
    handler: exchange => host(exchange, callerOf(exchange.headers), parseTarget(exchange.url), {}),
    onError: fail,
  });
}

/** A run in which something failed says nothing. */
function fail(error: unknown): never {
  throw error;
}
