import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  APIS,
  ask,
  bindingTo,
  create,
  createWorkspace,
  eventually,
  exportNamed,
  schemaNamed,
  startShards,
  stopShards,
} from './two-shards.fixture.ts';

let consumers: readonly [string, string];
const at = (consumer: 0 | 1): string => `/clusters/${consumers[consumer]}`;

/** The export `cowboys` is bound on the second shard. */
beforeAll(async () => {
  await startShards();
  const provider = `/clusters/${await createWorkspace('provider', 'root')}`;
  consumers = [await createWorkspace('consumer-0', 'root'), await createWorkspace('consumer-1', 'shard-1')];
  await create(0, `${provider}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`, schemaNamed('today', ['v1']));
  await create(0, `${provider}${APIS}/apiexports`, exportNamed('cowboys'));
  await eventually(() => create(1, `${at(1)}${APIS}/apibindings`, bindingTo('cowboys')));
  await eventually(async () => {
    expect((await ask(1, `${at(1)}${APIS}/apibindings/cowboys`)).json().status?.phase).toBe('Bound');
  });
});

afterAll(stopShards);

describe('a CRD', () => {
  const things = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.org' },
    spec: {
      group: 'example.org',
      names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
      scope: 'Cluster',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'integer' } } } } },
          },
        },
      ],
    },
  };
  const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const THINGS = '/apis/example.org/v1/things';
  const thing = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'one' }, spec: { a: 1 } };

  test('defines a resource in its logical cluster only', async () => {
    await create(1, `${at(1)}${CRDS}`, things);
    await eventually(async () => {
      const { status } = (await ask(1, `${at(1)}${CRDS}/things.example.org`)).json();
      expect(status.conditions).toMatchObject([
        { type: 'NamesAccepted', status: 'True' },
        { type: 'Established', status: 'True' },
      ]);
    });
    await create(1, `${at(1)}${THINGS}`, thing);
    const bad = await ask(1, `${at(1)}${THINGS}`, { method: 'POST', body: { ...thing, spec: { a: 'x' } } });
    expect(bad).toMatchObject({ status: 422 });
    expect((await ask(1, `/clusters/*${THINGS}`)).status).toBe(404);
    expect((await ask(0, `${at(0)}${THINGS}`)).status).toBe(404);
  });

  test('cannot take what is bound, nor can that be bound which it defines', async () => {
    const cowboys = {
      ...things,
      metadata: { name: 'cowboys.wildwest.dev' },
      spec: { ...things.spec, group: 'wildwest.dev', names: { kind: 'Cowboy', plural: 'cowboys' } },
    };
    await create(1, `${at(1)}${CRDS}`, cowboys);
    await eventually(async () => {
      const { status } = (await ask(1, `${at(1)}${CRDS}/cowboys.wildwest.dev`)).json();
      expect(status.conditions).toMatchObject([
        { type: 'NamesAccepted', status: 'False' },
        { type: 'Established', status: 'False' },
      ]);
    });
    const { resources } = (await ask(1, `${at(1)}/apis/wildwest.dev/v1`)).json();
    expect(resources).toMatchObject([{ name: 'cowboys' }, { name: 'cowboys/status' }, { name: 'cowboys/scale' }]);
    await create(0, `${at(0)}${CRDS}`, cowboys);
    await eventually(async () => expect((await ask(0, `${at(0)}/apis/wildwest.dev/v1/cowboys`)).status).toBe(200));
    await create(0, `${at(0)}${APIS}/apibindings`, bindingTo('cowboys'));
    await eventually(async () => {
      const { status } = (await ask(0, `${at(0)}${APIS}/apibindings/cowboys`)).json();
      expect(status.conditions).toContainEqual(
        expect.objectContaining({
          type: 'BindingUpToDate',
          message: 'Unable to bind APIs because they are bound by other APIBindings or CRDs: map[cowboys.wildwest.dev:{ true}]',
        }),
      );
    });
  });

  test('of the group without a name is called as kcp calls it, and serves its objects beside those of Kubernetes', async () => {
    const names = { kind: 'Hat', plural: 'hats' };
    const hats = { ...things, metadata: { name: 'hats.core' }, spec: { ...things.spec, group: '', names } };
    const misnamed = { ...hats, metadata: { name: 'hats.' } };
    expect((await ask(0, `${at(0)}${CRDS}`, { method: 'POST', body: misnamed })).status).toBe(422);
    await create(0, `${at(0)}${CRDS}`, hats);
    await eventually(() => create(0, `${at(0)}/api/v1/hats`, { apiVersion: 'v1', kind: 'Hat', metadata: { name: 'one' } }));
    const { resources } = (await ask(0, `${at(0)}/api/v1`)).json() as { resources?: { name: string }[] };
    expect(resources?.map(({ name }) => name)).toEqual(expect.arrayContaining(['hats', 'configmaps']));
  });

  test('takes its objects with it', async () => {
    expect((await ask(1, `${at(1)}${CRDS}/things.example.org`, { method: 'DELETE' })).status).toBe(200);
    await eventually(async () => expect((await ask(1, `${at(1)}${THINGS}`)).status).toBe(404));
    await create(1, `${at(1)}${CRDS}`, things);
    await eventually(async () => expect((await ask(1, `${at(1)}${THINGS}`)).json().items).toEqual([]));
  });
});
