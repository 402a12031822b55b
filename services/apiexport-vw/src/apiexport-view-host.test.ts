import { describe, expect, test } from '@jest/globals';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createEngine } from '@kcp-vw/shared/answer/engine.ts';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { fakeExchange } from '@kcp-vw/shared/testing/fake-exchange.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { createApiDocuments } from '@kcp-vw/shared/view/documents.ts';
import { createViewHost } from '@kcp-vw/shared/view/host.ts';
import type { RequestRecord } from '@kcp-vw/shared/view/record.ts';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import {
  alice,
  bindingAt,
  exportAt,
  fakeReviewer,
  LiveInformer,
  masters,
  ORDINARY_SHARD,
  schemaAt,
} from './apiexport.fixture.ts';
import { apiExportView } from './apiexport-view.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';
import { BINDING_INDEXES } from './bindings.ts';

const PROVIDER2: Caller = { ...alice, name: 'service-provider-2-admin' };
const VIEW = '/services/apiexport/provider/cowboys.dev/clusters';

interface Options {
  readonly caller?: Caller;
  readonly mayUseContent?: boolean;
  readonly policyAllows?: boolean;
}

/** An export of cowboys that claims sheriffs, whose owner has a policy; `consumer` binds the one and accepts the other. */
async function ask(method: string, path: string, { caller = alice, mayUseContent = true, policyAllows = true }: Options = {}) {
  const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
  const schemas = new LiveInformer<ApiResourceSchema>();
  const bindings = new LiveInformer<ApiBinding>(BINDING_INDEXES);
  const claims = [{ group: 'wild.wild.west', resource: 'sheriffs', verbs: ['*'], identityHash: 'lent' }];
  schemas.put(schemaAt('provider/c', 'cowboys.bench.dev', { versions: [{ subresources: { status: {} } }] }));
  schemas.put(schemaAt('lender/s', 'sheriffs.wild.wild.west', { versions: [{ name: 'v1alpha1' }] }));
  exports.put(exportAt('provider/cowboys.dev', { schemas: ['c'], claims }));
  exports.put(exportAt('lender/x', { identity: 'lent', schemas: ['s'], policy: true }));
  const accepted = claims.map(claim => ({ ...claim, state: 'Accepted', selector: { matchAll: true } }));
  bindings.put(bindingAt('consumer/b', 'provider/cowboys.dev', { bound: ['cowboys.bench.dev'], claims: accepted }));
  const view = apiExportView({
    domains: createApiDomains({ shardResources: ORDINARY_SHARD, exports, schemas, openapi: () => undefined, patience: 0 }),
    bindings,
    logicalClusters: new LiveInformer<KubeObject>(),
    reviewer: fakeReviewer(() => mayUseContent),
    deepReviewer: fakeReviewer(() => policyAllows),
    impersonateReads: false,
    ready: {},
  });
  const shard = fakeUpstream(() => ({ body: { kind: 'List', items: [] } }));
  const errors: unknown[] = [];
  const host = createViewHost({
    views: [view as never],
    engine: createEngine({ shard, drain: createDrain() }),
    documents: createApiDocuments('127.0.0.1:6443'),
    onError: error => errors.push(error),
  });
  const exchange = fakeExchange(method, path);
  const record: RequestRecord = {};
  await host(exchange, caller, parseTarget(path), record);
  return { status: exchange.status, json: exchange.json as Record<string, unknown>, shard, record, errors };
}

const messageOf = async (...request: Parameters<typeof ask>): Promise<string> => {
  const { status, json, shard } = await ask(...request);
  expect(shard.requests).toEqual([]);
  return `${status} ${json.message}`;
};

describe('a refusal, in kcp’s words', () => {
  // The sample that kcp's own e2e asserts. The version is not even served: authorization comes first.
  test('of a list that a maximal permission policy forbids', async () => {
    const request = [
      'GET',
      `${VIEW}/consumer/apis/wild.wild.west/v1/sheriffs`,
      { caller: PROVIDER2, policyAllows: false },
    ] as const;
    expect(await messageOf(...request)).toBe(
      '403 sheriffs.wild.wild.west is forbidden: User "service-provider-2-admin" cannot list resource "sheriffs" in API group "wild.wild.west" at the cluster scope: access denied',
    );
  });

  test.each([
    [
      'of a status in a namespace',
      'GET',
      '/consumer/apis/bench.dev/v1/namespaces/default/cowboys/cowboy-3/status',
      'cowboys.bench.dev "cowboy-3" is forbidden: User "alice" cannot get resource "cowboys/status" in API group "bench.dev" in the namespace "default": access denied',
    ],
    [
      'of a resource of the legacy group',
      'GET',
      '/*/api/v1/secrets',
      'secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" at the cluster scope: access denied',
    ],
    ['of a path that is no resource', 'GET', '/*/apis', 'forbidden: User "alice" cannot get path "/apis": access denied'],
  ])('%s', async (_, method, path, message) => {
    expect(await messageOf(method, VIEW + path, { mayUseContent: false })).toBe(`403 ${message}`);
  });

  test.each([
    ['a cluster segment that is a path', `${VIEW}/root:org/apis`],
    ['no cluster', '/services/apiexport/provider/cowboys.dev/apis'],
    ['no export', '/services/apiexport/provider'],
  ])('of a path with %s', async (_, path) => {
    expect(await messageOf('GET', path)).toBe(
      `403 forbidden: User "alice" cannot get path "${path}": Path not resolved to a valid virtual workspace`,
    );
    expect(await messageOf('GET', path, { caller: masters })).toMatch(/^404 /);
  });

  test('of an export that does not exist is that of one that he may not use', async () => {
    const path = '/services/apiexport/nowhere/none/clusters/*/apis/bench.dev/v1/cowboys';
    expect(await messageOf('GET', path, { mayUseContent: false })).toBe(await messageOf('GET', path));
    expect(await messageOf('GET', path)).toBe(
      '403 cowboys.bench.dev is forbidden: User "alice" cannot list resource "cowboys" in API group "bench.dev" at the cluster scope: access denied',
    );
  });

  // The words that the caller is not told are for whoever reads the audit log.
  test('is explained to the record only', async () => {
    const { record, json } = await ask('GET', `${VIEW}/elsewhere/apis/bench.dev/v1/cowboys`);
    expect(record.because).toBe('elsewhere does not bind provider:cowboys.dev');
    expect(JSON.stringify(json)).not.toContain('does not bind');
  });
});

describe('what is not served', () => {
  test.each([
    ['a resource', '/*/apis/bench.dev/v1/others', 404],
    ['a version', '/*/apis/bench.dev/v9/cowboys', 404],
    ['a resource with an identity', '/*/apis/bench.dev/v1/cowboys:own-identity', 404],
    ['a subresource', '/*/apis/bench.dev/v1/cowboys/one/scale', 404],
    ['a group', '/*/apis/other.dev', 404],
    ['metrics', '/*/metrics', 404],
    ['health', '/*/healthz', 404],
    ['OpenAPI v2', '/*/openapi/v2', 404],
    ['another virtual workspace', '/consumer/services/apiexport', 404],
  ])('is not found: %s', async (_, path, code) => {
    expect(await messageOf('GET', VIEW + path, { caller: masters })).toMatch(new RegExp(`^${code} `));
  });

  test('of verbs is told so: bindings that nobody claims are only read', async () => {
    const path = `${VIEW}/consumer/apis/apis.kcp.io/v1alpha2/apibindings`;
    expect(await messageOf('POST', path, { caller: masters })).toMatch(/^405 /);
    expect(await messageOf('DELETE', `${path}/b`, { caller: masters })).toMatch(/^405 /);
    expect(await messageOf('GET', `${path}/b/status`, { caller: masters })).toMatch(/^404 /);
  });

  test('of an export that does not exist is not found by masters', async () => {
    const path = '/services/apiexport/nowhere/none/clusters/*';
    for (const below of ['/apis', '/apis/bench.dev/v1/cowboys', '/version']) {
      expect(await messageOf('GET', path + below, { caller: masters })).toMatch(/^404 /);
    }
  });
});

describe('discovery', () => {
  test.each(['*', 'consumer', 'elsewhere'])('of %s is that of the export', async cluster => {
    const groups = await ask('GET', `${VIEW}/${cluster}/apis`);
    const names = (groups.json.groups as { name: string; versions: { version: string }[] }[]).map(
      ({ name, versions }) => `${name} ${versions.map(one => one.version)}`,
    );
    expect(names).toEqual(['apis.kcp.io v1alpha2,v1alpha1', 'bench.dev v1', 'wild.wild.west v1alpha1']);
    const resources = await ask('GET', `${VIEW}/${cluster}/apis/bench.dev/v1`);
    expect((resources.json.resources as { name: string }[]).map(({ name }) => name)).toEqual(['cowboys', 'cowboys/status']);
  });

  test('names the legacy version, also where nothing of it is served', async () => {
    expect((await ask('GET', `${VIEW}/*/api`)).json).toMatchObject({ versions: ['v1'] });
    expect((await ask('GET', `${VIEW}/*/api/v1`)).status).toBe(404);
  });
});

test('a list of all logical clusters is one of the shard, by identity', async () => {
  const { shard, status } = await ask('GET', `${VIEW}/%2A/apis/bench.dev/v1/cowboys?limit=5`);
  expect(status).toBe(200);
  expect(shard.requests.map(({ path }) => decodeURIComponent(path))).toEqual([
    '/clusters/*/apis/bench.dev/v1/cowboys:own-identity?limit=5',
  ]);
});
