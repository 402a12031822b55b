/** Test equipment: both views behind a host, with a shard that a function answers. */
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createEngine } from '@kcp-vw/shared/answer/engine.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { type FakeResponse, fakeUpstream, type SeenRequest } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createApiDocuments } from '@kcp-vw/shared/view/documents.ts';
import { createViewHost } from '@kcp-vw/shared/view/host.ts';
import type { RequestRecord } from '@kcp-vw/shared/view/record.ts';
import { alice, World } from './view.fixture.ts';

export const SYNCER = '/services/syncer/edge/west/uid-1/clusters';
export const UPSYNCER = '/services/upsyncer/edge/west/uid-1/clusters';

export interface Asked {
  readonly caller?: Caller;
  readonly world?: World;
  readonly body?: string;
  readonly contentType?: string;
  readonly answer?: (request: SeenRequest) => FakeResponse;
}

/** Through both views, to a shard that answers so. */
export async function ask(
  method: string,
  path: string,
  { caller = alice, world = new World(), body, contentType = 'application/json', answer }: Asked = {},
) {
  const shard = fakeUpstream(request => answer?.(request) ?? { body: { kind: 'List', items: [] } });
  world.upstreams.set('compute/kubernetes', shard);
  const local = fakeUpstream(() => ({ status: 500 }));
  const errors: unknown[] = [];
  const host = createViewHost({
    views: [world.syncer, world.upsyncer] as never,
    engine: createEngine({ shard: local, drain: createDrain() }),
    documents: createApiDocuments('127.0.0.1:6443'),
    onError: error => errors.push(error),
  });
  const headers = body === undefined ? [] : ['content-type', contentType];
  const exchange = fakeExchange(method, path, { headers, ...(body !== undefined && { body }) });
  const record: RequestRecord = {};
  await host(exchange, caller, parseTarget(path), record);
  // What has no shard of its own would go to the engine's, as whom that is reached.
  if (local.requests.length > 0) throw new Error(`it went to the local shard: ${local.requests.map(({ path }) => path)}`);
  const requests = shard.requests.map(request => `${request.method} ${decodeURIComponent(request.path)}`);
  return {
    status: exchange.status,
    text: exchange.text,
    json: () => exchange.json as Record<string, unknown>,
    requests,
    shard,
    record,
  };
}

/** A deployment as a shard stores it. */
export const assigned = (name: string, { cluster = 'consumer', annotations = {}, labels = {} } = {}) => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
  metadata: {
    ...{ name, namespace: 'default', uid: name, resourceVersion: '7', finalizers: ['others'] },
    labels: { 'state.workload.kcp.io/W': 'Sync', ...labels },
    annotations: { 'kcp.io/cluster': cluster, ...annotations },
  },
  spec: { replicas: 7 },
  status: { of: 'kcp' },
});
