import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportHash } from './kcp/permission-claims.ts';
import {
  APIS,
  ask,
  bindingTo,
  COWBOYS,
  configMap,
  cowboy,
  create,
  createWorkspace,
  eventually,
  exportNamed,
  patch,
  schemaNamed,
  startShards,
  stopShards,
} from './two-shards.fixture.ts';

const SLICES = '/apis/apis.kcp.io/v1alpha1/apiexportendpointslices';

/** Logical clusters: who exports, on the root shard; who binds, on each of both. */
let provider: string;
let consumers: readonly [string, string];
let viewURLs: readonly string[];

beforeAll(async () => {
  viewURLs = await startShards();
  provider = await createWorkspace('provider', 'root');
  consumers = [await createWorkspace('consumer-0', 'root'), await createWorkspace('consumer-1', 'shard-1')];
});

afterAll(stopShards);

const at = (consumer: 0 | 1): string => `/clusters/${consumers[consumer]}`;

const bound = (consumer: 0 | 1, name: string) =>
  eventually(async () => {
    const binding = (await ask(consumer, `${at(consumer)}${APIS}/apibindings/${name}`)).json();
    expect(binding.status?.phase).toBe('Bound');
    return binding;
  });

const sliceURLs = async (name: string): Promise<string[]> =>
  ((await ask(0, `/clusters/${provider}${SLICES}/${name}`)).json().status?.endpoints ?? []).map(
    ({ url }: { url: string }) => url,
  );

// One story: each test goes on where the one before has stopped.
describe('an APIExport', () => {
  test('gets an identity and an endpoint slice without endpoints', async () => {
    await create(0, `/clusters/${provider}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`, schemaNamed('today', ['v1']));
    const permissionClaims = [
      { group: '', resource: 'configmaps', verbs: ['*'] },
      { group: '', resource: 'secrets', verbs: ['get'] },
    ];
    await create(0, `/clusters/${provider}${APIS}/apiexports`, exportNamed('cowboys', { permissionClaims }));
    const made = await eventually(async () => {
      const apiExport = (await ask(0, `/clusters/${provider}${APIS}/apiexports/cowboys`)).json();
      expect(apiExport.status?.identityHash).toMatch(/^[0-9a-f]{64}$/);
      return apiExport;
    });
    expect(made.spec.identity).toEqual({ secretRef: { namespace: 'kcp-system', name: 'cowboys' } });
    expect(made.status.conditions).toMatchObject([{ type: 'IdentityValid', status: 'True' }]);
    await eventually(async () => {
      const slice = (await ask(0, `/clusters/${provider}${SLICES}/cowboys`)).json();
      expect(slice.status.conditions).toMatchObject([{ type: 'APIExportValid' }, { type: 'PartitionValid' }]);
      expect(slice.status.endpoints).toBeUndefined();
    });
  });

  test('is bound on both shards, and the slice says so, each shard for itself', async () => {
    const claims = [
      { group: '', resource: 'configmaps', verbs: ['*'], state: 'Accepted', selector: { matchAll: true } },
      { group: '', resource: 'secrets', verbs: ['get'], state: 'Rejected', selector: { matchAll: true } },
    ];
    await create(0, `${at(0)}/api/v1/namespaces/default/configmaps`, configMap('before'));
    const urlOf = (shard: 0 | 1): string => `${viewURLs[shard]}/services/apiexport/${provider}/cowboys`;
    await create(1, `${at(1)}${APIS}/apibindings`, bindingTo('cowboys'));
    await bound(1, 'cowboys');
    await eventually(async () => expect(await sliceURLs('cowboys')).toEqual([urlOf(1)]));
    await create(0, `${at(0)}${APIS}/apibindings`, bindingTo('cowboys', claims));
    const binding = await bound(0, 'cowboys');
    await eventually(async () => expect(await sliceURLs('cowboys')).toEqual([urlOf(1), urlOf(0)]));
    expect(binding.metadata.labels).toMatchObject({ 'internal.apis.kcp.io/export': exportHash(provider, 'cowboys') });
    expect(binding.metadata.annotations).toMatchObject({ 'kcp.io/path': 'root:consumer-0' });
    expect(binding.status).toMatchObject({
      apiExportClusterName: provider,
      boundResources: [
        { group: 'wildwest.dev', resource: 'cowboys', schema: { name: 'today.cowboys.wildwest.dev' }, storageVersions: ['v1'] },
      ],
      exportPermissionClaims: [{ resource: 'configmaps' }, { resource: 'secrets' }],
    });
    const [schema] = (await ask(0, `/clusters/${provider}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`)).json().items;
    const there = await bound(1, 'cowboys');
    for (const { status } of [binding, there]) expect(status.boundResources[0].schema.UID).toBe(schema.metadata.uid);
  });

  test('labels what is claimed, before and after the claim is accepted', async () => {
    const label = { [`claimed.internal.apis.kcp.io/${exportHash(provider, 'cowboys')}`]: expect.any(String) };
    const configMaps = `${at(0)}/api/v1/namespaces/default/configmaps`;
    await eventually(async () => expect((await ask(0, `${configMaps}/before`)).json().metadata.labels).toMatchObject(label));
    expect((await create(0, configMaps, configMap('after'))).metadata.labels).toMatchObject(label);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'own' } };
    const created = await create(0, `${at(0)}/api/v1/namespaces/default/secrets`, secret);
    expect(created.metadata.labels).toBeUndefined();
    await eventually(async () => {
      const { metadata, status } = (await ask(0, `${at(0)}${APIS}/apibindings/cowboys`)).json();
      expect(metadata.labels).toMatchObject({
        [`claimed.internal.apis.kcp.io/${exportHash(provider, 'cowboys')}`]: 'LstvmbbzVDDOn90ZbhzSQO5U3DMCf88h1pZ',
      });
      expect(status.appliedPermissionClaims).toMatchObject([{ resource: 'configmaps', selector: { matchAll: true } }]);
      for (const type of ['Ready', 'PermissionClaimsApplied', 'PermissionClaimsValid']) {
        expect(status.conditions).toContainEqual(expect.objectContaining({ type, status: 'True' }));
      }
    });
  });

  test('limits a claim by a selector, and takes the label away with the acceptance', async () => {
    const key = `claimed.internal.apis.kcp.io/${exportHash(provider, 'cowboys')}`;
    const claim = { group: '', resource: 'configmaps', verbs: ['*'], state: 'Accepted' };
    const accept = async (selector: object, state = 'Accepted'): Promise<void> => {
      const answer = await patch(0, `${at(0)}${APIS}/apibindings/cowboys`, {
        spec: { permissionClaims: [{ ...claim, state, selector }] },
      });
      expect(answer).toMatchObject({ status: 200 });
    };
    const configMaps = `${at(0)}/api/v1/namespaces/default/configmaps`;
    const labelled = async (): Promise<string[]> =>
      (await ask(0, `${configMaps}?labelSelector=${key}`)).json().items.map((item: { metadata: { name: string } }) => {
        return item.metadata.name;
      });
    await accept({ matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }] });
    await eventually(async () => expect(await labelled()).toEqual([]));
    await create(0, configMaps, configMap('gold', { tier: 'gold' }));
    expect(await labelled()).toEqual(['gold']);
    await accept({ matchAll: true }, 'Rejected');
    await eventually(async () => expect(await labelled()).toEqual([]));
    await accept({ matchAll: true });
    await eventually(async () => expect(await labelled()).toEqual(['after', 'before', 'gold', 'kube-root-ca.crt']));
  });
});

describe('a bound resource', () => {
  test('is discovered, written and read, with status, scale and its columns', async () => {
    const { resources } = (await ask(0, `${at(0)}/apis/wildwest.dev/v1`)).json();
    expect(resources.map(({ name }: { name: string }) => name)).toEqual(['cowboys', 'cowboys/status', 'cowboys/scale']);
    const created = await create(0, `${at(0)}${COWBOYS}`, cowboy('woody', { intent: 'catch', replicas: 2 }));
    expect(created).toMatchObject({ metadata: { annotations: { 'kcp.io/cluster': consumers[0] } } });
    const status = await patch(0, `${at(0)}${COWBOYS}/woody/status`, { status: { result: 'caught', replicas: 1 } });
    expect(status.json()).toMatchObject({ spec: { intent: 'catch' }, status: { result: 'caught' } });
    const scale = (await ask(0, `${at(0)}${COWBOYS}/woody/scale`)).json();
    expect(scale).toMatchObject({ apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 1 } });
    const scaled = await patch(0, `${at(0)}${COWBOYS}/woody/scale`, { spec: { replicas: 5 } });
    expect(scaled.json().spec).toEqual({ replicas: 5 });
    expect((await ask(0, `${at(0)}${COWBOYS}/woody`)).json().spec).toEqual({ intent: 'catch', replicas: 5 });
  });

  test('refuses what its schema does not allow', async () => {
    const answer = await ask(0, `${at(0)}${COWBOYS}`, { method: 'POST', body: cowboy('bad', { intent: 3 }) });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.json().message).toBe(
      'Cowboy.wildwest.dev "bad" is invalid: spec.intent: Invalid value: "integer": spec.intent in body must be of type string: "integer"',
    );
  });

  test('warns of fields that its schema does not know, or refuses them', async () => {
    const body = cowboy('extra', { intent: 'catch', extra: 1 });
    const refused = await ask(0, `${at(0)}${COWBOYS}?fieldValidation=Strict`, { method: 'POST', body });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.json().message).toBe(
      'Cowboy in version "v1" cannot be handled as a Cowboy: strict decoding error: unknown field "spec.extra"',
    );
    const warned = await ask(0, `${at(0)}${COWBOYS}?dryRun=All`, { method: 'POST', body });
    expect(warned).toMatchObject({ status: 201, warning: '299 - "unknown field \\"spec.extra\\""' });
    expect(warned.json().spec).toEqual({ intent: 'catch' });
  });

  test('is asked of all logical clusters under its identity only, and of one under that or none', async () => {
    const { identityHash } = (await ask(0, `/clusters/${provider}${APIS}/apiexports/cowboys`)).json().status;
    const all = '/clusters/*/apis/wildwest.dev/v1/cowboys';
    expect((await ask(0, `${all}:${identityHash}`)).json().items).toHaveLength(1);
    expect((await ask(1, `${all}:${identityHash}`)).json().items).toHaveLength(0);
    expect((await ask(0, all)).status).toBe(404);
    expect((await ask(0, `${all}:abc`)).status).toBe(404);
    const own = `${at(0)}/apis/wildwest.dev/v1/namespaces/default/cowboys`;
    expect((await ask(0, `${own}:${identityHash}/woody`)).status).toBe(200);
    expect((await ask(0, `${own}:abc/woody`)).status).toBe(404);
  });

  test('of the same name from another export lies elsewhere', async () => {
    const other = exportNamed('other-cowboys');
    await create(0, `/clusters/${provider}${APIS}/apiexports`, other);
    const third = await createWorkspace('consumer-2', 'root');
    await create(0, `/clusters/${third}${APIS}/apibindings`, bindingTo('other-cowboys'));
    await eventually(async () => {
      await create(0, `/clusters/${third}${COWBOYS}`, cowboy('buzz'));
    });
    const names = async (name: string): Promise<string[]> => {
      const { identityHash } = (await ask(0, `/clusters/${provider}${APIS}/apiexports/${name}`)).json().status;
      const { items } = (await ask(0, `/clusters/*/apis/wildwest.dev/v1/cowboys:${identityHash}`)).json();
      return items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    };
    expect(await names('cowboys')).toEqual(['woody']);
    expect(await names('other-cowboys')).toEqual(['buzz']);
  });

  test('cannot be bound twice in one logical cluster', async () => {
    await create(0, `${at(0)}${APIS}/apibindings`, bindingTo('other-cowboys'));
    await eventually(async () => {
      const { status } = (await ask(0, `${at(0)}${APIS}/apibindings/other-cowboys`)).json();
      expect(status.conditions).toContainEqual(
        expect.objectContaining({
          type: 'BindingUpToDate',
          status: 'False',
          reason: 'NamingConflicts',
          message:
            'Unable to bind APIs because they are bound by other APIBindings or CRDs: map[cowboys.wildwest.dev:{cowboys false}]',
        }),
      );
    });
    expect((await ask(0, `${at(0)}${APIS}/apibindings/other-cowboys`, { method: 'DELETE' })).status).toBe(200);
  });

  test('follows its export to another schema, on every shard, and is there in all its versions', async () => {
    const schemas = `/clusters/${provider}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`;
    await create(0, schemas, schemaNamed('tomorrow', ['v1', 'v2']));
    const resources = [{ group: 'wildwest.dev', name: 'cowboys', schema: 'tomorrow.cowboys.wildwest.dev', storage: { crd: {} } }];
    await patch(0, `/clusters/${provider}${APIS}/apiexports/cowboys`, { spec: { resources } });
    for (const consumer of [0, 1] as const) {
      await eventually(async () => {
        expect((await ask(consumer, `${at(consumer)}/apis/wildwest.dev`)).json().versions).toMatchObject([
          { version: 'v2' },
          { version: 'v1' },
        ]);
      });
    }
    const path = `${at(0)}/apis/wildwest.dev/v2/namespaces/default/cowboys/woody`;
    expect((await ask(0, path)).json()).toMatchObject({ apiVersion: 'wildwest.dev/v2', spec: { intent: 'catch' } });
  });

  test('takes no new objects while its binding waits for the old ones', async () => {
    await create(0, `${at(0)}${COWBOYS}`, { ...cowboy('held'), metadata: { name: 'held', finalizers: ['example.org/hold'] } });
    expect((await ask(0, `${at(0)}${APIS}/apibindings/cowboys`, { method: 'DELETE' })).status).toBe(200);
    await eventually(async () => {
      const late = await ask(0, `${at(0)}${COWBOYS}`, { method: 'POST', body: cowboy('late') });
      expect(late).toMatchObject({ status: 403 });
      expect(late.json().message).toContain('create not allowed while custom resource definition is terminating');
    });
    await eventually(async () => {
      const { status } = (await ask(0, `${at(0)}${APIS}/apibindings/cowboys`)).json();
      expect(status.conditions).toContainEqual(
        expect.objectContaining({
          type: 'BindingResourceDeleteSuccess',
          status: 'False',
          message: 'Some content in the workspace has finalizers remaining: example.org/hold in 1 resource instances',
        }),
      );
    });
    await patch(0, `${at(0)}${COWBOYS}/held`, { metadata: { finalizers: null } });
  });

  test('goes with its binding, with all objects, the URL of the shard, and what was locked', async () => {
    await eventually(async () => expect((await ask(0, `${at(0)}${APIS}/apibindings/cowboys`)).status).toBe(404));
    expect((await ask(0, `${at(0)}${COWBOYS}`)).status).toBe(404);
    await eventually(async () => expect(await sliceURLs('cowboys')).toHaveLength(1));
    const cluster = (await ask(0, `${at(0)}/apis/core.kcp.io/v1alpha1/logicalclusters/cluster`)).json();
    expect(cluster.metadata.annotations['internal.apis.kcp.io/resource-bindings']).not.toContain('cowboys');
  });
});

describe('the cache server', () => {
  test('has exports and schemas with the shard and the logical cluster that they are from', async () => {
    for (const path of ['v1alpha2/apiexports', 'v1alpha1/apiresourceschemas']) {
      const { items } = (await ask(0, `/services/cache/shards/*/clusters/*/apis/apis.kcp.io/${path}`)).json();
      const found = items.filter(
        ({ metadata }: { metadata: { annotations: Record<string, string> } }) =>
          metadata.annotations['kcp.io/cluster'] === provider,
      );
      expect(found).toHaveLength(2);
      for (const { metadata } of found) expect(metadata.annotations).toMatchObject({ 'kcp.io/shard': 'root' });
    }
  });
});

describe('a binding', () => {
  test('of an export that does not exist is refused as one that may not be bound', async () => {
    const answer = await ask(1, `${at(1)}${APIS}/apibindings`, { method: 'POST', body: bindingTo('nothing') });
    expect(answer).toMatchObject({ status: 403 });
    expect(answer.json().message).toBe(
      'apibindings.apis.kcp.io "nothing" is forbidden: unable to create APIBinding: no permission to bind to export root:provider:nothing',
    );
  });
});
