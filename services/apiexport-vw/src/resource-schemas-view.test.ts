import { describe, expect, test } from '@jest/globals';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createEngine } from '@kcp-vw/shared/answer/engine.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ReviewAttributes } from '@kcp-vw/shared/authz/reviewer.ts';
import { settle } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createApiDocuments } from '@kcp-vw/shared/view/documents.ts';
import { createViewHost } from '@kcp-vw/shared/view/host.ts';
import type { RequestRecord } from '@kcp-vw/shared/view/record.ts';
import { apiExport, binding, FakeSources, schema } from './resource-schemas.fixture.ts';
import { resourceSchemasView } from './resource-schemas-view.ts';

const alice: Caller = { name: 'alice', uid: '', groups: ['team'], extra: {}, method: 'token' };
const masters: Caller = { ...alice, groups: ['system:masters'] };

/** `c1` has bound `v1.cows` and `v1.dogs` of `p1`. */
function setUp({ allowed = true, review = async () => ({ allowed, reason: 'a secret role' }) } = {}) {
  const sources = new FakeSources();
  sources.bindings.put(binding('c1', 'first', 'p1/animals'));
  sources.exports.put(apiExport('p1', 'animals', ['v1.cows', 'v1.dogs']));
  sources.schemas.put(schema('p1', 'v1.cows'));
  sources.schemas.put(schema('p1', 'v1.dogs'));
  const reviews: [string, ReviewAttributes][] = [];
  const reviewer = {
    review: (cluster: string, attributes: ReviewAttributes) => {
      reviews.push([cluster, attributes]);
      return review();
    },
  };
  const shard = fakeUpstream(() => ({ body: { gitVersion: 'v1' } }));
  const host = createViewHost({
    views: [resourceSchemasView({ ...sources, reviewer, ready: {} })],
    engine: createEngine({ shard, drain: createDrain() }),
    documents: createApiDocuments('127.0.0.1:6443'),
    onError: () => undefined,
  });
  async function ask(path: string, { method = 'GET', caller = alice, headers = [] as string[] } = {}) {
    const exchange = fakeExchange(method, path, { headers });
    const record: RequestRecord = {};
    host(exchange, caller, parseTarget(path), record).catch(error => {
      throw error;
    });
    await settle();
    return Object.assign(exchange, { record });
  }
  return { sources, reviews, shard, ask };
}

const VIEW = '/services/apiresourceschema';
const SCHEMAS = 'apis/apis.kcp.io/v1alpha1/apiresourceschemas';
const C1 = `${VIEW}/c1/clusters/*/${SCHEMAS}`;

const namesIn = (list: unknown): unknown[] =>
  (list as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);

describe('a path', () => {
  test.each([
    `${VIEW}/c1/${SCHEMAS}`,
    `${VIEW}/c1/clusters/*/${SCHEMAS}`,
    `${VIEW}/c1/clusters/%2A/${SCHEMAS}`,
    `${VIEW}/c1/clusters/c1/${SCHEMAS}`,
  ])('%s lists the schemas that the consumer has bound', async path => {
    const { ask, reviews } = setUp();
    const answer = await ask(path);
    expect([answer.status, namesIn(answer.json)]).toEqual([200, ['v1.cows', 'v1.dogs']]);
    expect(reviews.map(([cluster]) => cluster)).toEqual(['c1']);
    expect(answer.record).toMatchObject({ view: 'apiresourceschema', cluster: 'c1', verb: 'list' });
  });

  test.each([
    ['*', `${VIEW}/*/${SCHEMAS}`],
    ['*', `${VIEW}/*/clusters/*/${SCHEMAS}`],
    ['a path', `${VIEW}/root:org/${SCHEMAS}`],
    ['another logical cluster', `${VIEW}/c1/clusters/c2/${SCHEMAS}`],
    ['nothing', `${VIEW}/`],
    ['nothing', VIEW],
  ])('with %s for its logical cluster is nobody’s: %s', async (_, path) => {
    const { ask, reviews } = setUp();
    const answer = await ask(path);
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ message: expect.stringContaining('Path not resolved to a valid virtual workspace') });
    expect((await ask(path, { caller: masters })).status).toBe(404);
    expect(reviews).toEqual([]);
  });

  test.each([`${VIEW}/c1/clusters/`, `${VIEW}/c1/clusters`, `${VIEW}/c1/metrics`])('%s is not served', async path => {
    expect((await setUp().ask(path)).status).toBe(404);
  });

  test('of a logical cluster of kcp’s own is one, too', async () => {
    expect((await setUp().ask(`${VIEW}/system:admin/${SCHEMAS}`)).status).toBe(200);
  });
});

describe('access', () => {
  test('is for those who may read the consumer’s bindings, as they are', async () => {
    const { ask, reviews } = setUp();
    await ask(`${C1}/v1.cows`);
    const resource = { group: 'apis.kcp.io', version: 'v1alpha2', resource: 'apibindings', verb: 'get' };
    expect(reviews).toEqual([['c1', { user: alice, resource }]]);
  });

  test.each([C1, `${C1}/v1.cows`, `${C1}?watch=1`, `${VIEW}/c1/apis`, `${VIEW}/c1/version`, `${VIEW}/c1/${SCHEMAS}/none`])(
    'to %s is refused to others, who are not told why',
    async path => {
      const answer = await setUp({ allowed: false }).ask(path);
      expect(answer.status).toBe(403);
      expect(answer.json).toMatchObject({ message: expect.stringMatching(/: access denied$/) });
      expect(answer.text).not.toContain('secret role');
    },
  );

  test.each([
    ['POST', C1],
    ['PUT', `${C1}/v1.cows`],
    ['PATCH', `${C1}/v1.cows`],
    ['DELETE', `${C1}/v1.cows`],
    ['DELETE', C1],
    ['POST', `${VIEW}/c1/apis`],
  ])('by %s %s is refused to everyone: 405 to masters, who may all that there is', async (method, path) => {
    const { ask, reviews } = setUp();
    expect((await ask(path, { method })).status).toBe(403);
    expect((await ask(path, { method, caller: masters })).status).toBe(405);
    expect(reviews).toEqual([]);
  });

  test('of masters needs no review', async () => {
    const { ask, reviews } = setUp({ allowed: false });
    expect((await ask(C1, { caller: masters })).status).toBe(200);
    expect(reviews).toEqual([]);
  });

  test('that cannot be reviewed is not given', async () => {
    const { ask } = setUp({ review: async () => Promise.reject(serviceUnavailable('no shard')) });
    expect((await ask(C1)).status).toBe(503);
  });
});

describe('discovery', () => {
  test.each(['c1', 'has-bound-nothing'])('of %s shows the one resource, to be read', async consumer => {
    const answer = await setUp().ask(`${VIEW}/${consumer}/apis/apis.kcp.io/v1alpha1`);
    expect(answer.json).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'apis.kcp.io/v1alpha1',
      resources: [
        {
          name: 'apiresourceschemas',
          singularName: 'apiresourceschema',
          namespaced: false,
          kind: 'APIResourceSchema',
          verbs: ['get', 'list', 'watch'],
          categories: ['kcp'],
          storageVersionHash: expect.stringMatching(/^[\w+/]+=*$/),
        },
      ],
    });
  });

  test('of groups and OpenAPI are served too, and the version is the shard’s', async () => {
    const { ask, shard } = setUp();
    expect((await ask(`${VIEW}/c1/clusters/c1/apis`)).json).toMatchObject({ groups: [{ name: 'apis.kcp.io' }] });
    expect((await ask(`${VIEW}/c1/clusters/c1/openapi/v3/apis/apis.kcp.io/v1alpha1`)).status).toBe(200);
    await ask(`${VIEW}/c1/clusters/c1/version`);
    expect(shard.requests.map(({ path }) => path)).toEqual(['/clusters/system:admin/version']);
  });
});

describe('schemas', () => {
  test('are got by name, or not found', async () => {
    const { ask } = setUp();
    expect((await ask(`${C1}/v1.dogs`)).json).toMatchObject({
      apiVersion: 'apis.kcp.io/v1alpha1',
      kind: 'APIResourceSchema',
      metadata: { name: 'v1.dogs', annotations: { 'kcp.io/cluster': 'p1' } },
      spec: { group: 'example.dev', versions: [{ name: 'v1', schema: { description: 'v1.dogs' } }] },
    });
    const missing = await ask(`${C1}/v1.cats`);
    expect([missing.status, missing.json]).toMatchObject([404, { reason: 'NotFound', details: { name: 'v1.cats' } }]);
  });

  test('of a consumer that has bound nothing are an empty list with a version', async () => {
    const { json } = await setUp().ask(`${VIEW}/c2/${SCHEMAS}`);
    expect(json).toEqual({
      apiVersion: 'apis.kcp.io/v1alpha1',
      kind: 'APIResourceSchemaList',
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
      items: [],
    });
  });

  test('are selected by field', async () => {
    const { ask } = setUp();
    expect(namesIn((await ask(`${C1}?fieldSelector=metadata.name%3Dv1.dogs`)).json)).toEqual(['v1.dogs']);
  });

  test('are a Table with the columns of kcp’s own resource', async () => {
    const { ask } = setUp();
    const { json } = await ask(C1, { headers: ['Accept', 'application/json;as=Table;v=v1;g=meta.k8s.io'] });
    expect(json).toMatchObject({ kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Age', type: 'date' }] });
  });

  test('are watched from a list on', async () => {
    const { ask, sources } = setUp();
    const list = (await ask(C1)).json as { metadata: { resourceVersion: string } };
    const watch = await ask(`${C1}?watch=1&resourceVersion=${list.metadata.resourceVersion}`);
    expect([watch.status, watch.text]).toEqual([200, '']);
    sources.exports.put(apiExport('p1', 'animals', ['v1.dogs']));
    await settle();
    expect(JSON.parse(watch.text)).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'v1.cows' } } });
    watch.leave();
  });

  test.each(['bindings', 'exports', 'schemas'] as const)(
    'are not listed before all %s have been read: a part would look like the whole',
    async source => {
      const { ask, sources } = setUp();
      sources[source].isSynced = false;
      const answer = await ask(C1);
      expect([answer.status, answer.responseHeader('retry-after')]).toEqual([503, '1']);
      expect((await ask(`${VIEW}/c1/apis`)).status).toBe(200);
    },
  );
});
