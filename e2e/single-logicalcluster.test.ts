import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { admin } from './support/identities.ts';
import type { KubeObject, LogicalCluster, ObjectMeta, Status, Table } from './support/kube.ts';
import { type Lifecycle, lifecycles } from './support/lifecycle.ts';
import type { Reply } from './support/reply.ts';
import { Scenario } from './support/scenario.ts';
import { deviationTest, fieldManagerTest } from './support/suite.ts';
import { contentOf, single } from './support/views.ts';
import { createWorkspace, LOGICAL_CLUSTERS, storedLogicalCluster } from './support/workspaces.ts';

function condition(type: string) {
  return { type, status: 'True', lastTransitionTime: new Date().toISOString().replace(/\.\d+/, '') };
}

function withMetadata(object: LogicalCluster, metadata: ObjectMeta): LogicalCluster {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

/** The only refusal that tells a caller what it may do instead. */
function onlyRemoving({ list, noun }: Lifecycle, name: string) {
  const message = expect.stringContaining(`only removing the "${name}" ${noun} is supported`);
  return {
    kind: 'Status',
    reason: 'Invalid',
    code: 422,
    message,
    details: {
      name: 'cluster',
      kind: 'LogicalCluster',
      causes: [{ reason: 'FieldValueInvalid', field: `status.${list}`, message }],
    },
  };
}

describe.each(lifecycles)('the logical cluster of one workspace in $view', lifecycle => {
  const { list } = lifecycle;
  let scenario: Scenario;

  async function current(): Promise<LogicalCluster> {
    return (await scenario.single(admin).get('')).expect(200).json<LogicalCluster>();
  }

  async function hasCondition(type: string): Promise<boolean> {
    return (await storedLogicalCluster(scenario.cluster)).status.conditions?.some(found => found.type === type) === true;
  }

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
  });

  test('is the object that the shard stores, with and without its status as subresource', async () => {
    // kcp's controllers may still write to it between two reads.
    await eventually('agreement of three reads', async () => {
      const stored = await storedLogicalCluster(scenario.cluster);
      expect(await current()).toEqual(stored);
      expect((await scenario.single(admin).get('/status')).expect(200).json()).toEqual(stored);
    });
  });

  test('comes as a Table and as PartialObjectMetadata', async () => {
    const table = (await scenario.single(admin).get('', { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }))
      .expect(200)
      .json<Table>();
    expect(table.rows).toHaveLength(1);
    const partial = await scenario
      .single(admin)
      .get('', { Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' });
    expect(Object.keys(partial.expect(200).json<KubeObject>()).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
  });

  test('can only be read: every other verb is 405', async () => {
    const object = await current();
    const all = contentOf(scenario.view(admin), scenario.cluster).at(LOGICAL_CLUSTERS);
    const one = scenario.single(admin);
    const refused = [
      await all.get(''),
      await all.get('?watch=true'),
      await all.post('', object),
      await all.delete(''),
      await one.put('', object),
      await one.mergePatch('', { metadata: { annotations: { wrong: 'wrong' } } }),
      await one.delete(''),
      await one.delete('/status'),
    ];
    for (const reply of refused) {
      expect(reply.expect(405).json<Status>()).toMatchObject({
        kind: 'Status',
        reason: 'MethodNotAllowed',
        message: expect.stringContaining('is not supported on resources of kind "logicalclusters.core.kcp.io"'),
        details: { group: 'core.kcp.io', kind: 'logicalclusters' },
      });
    }
    const { annotations, deletionTimestamp } = (await storedLogicalCluster(scenario.cluster)).metadata;
    expect({ annotations, deletionTimestamp }).toEqual({
      annotations: object.metadata.annotations,
      deletionTimestamp: object.metadata.deletionTimestamp,
    });
  });

  test('is not found under another name, version or subresource', async () => {
    const content = contentOf(scenario.view(admin), scenario.cluster);
    const missing = [
      await content.get(`${LOGICAL_CLUSTERS}/other`),
      await content.get(`${LOGICAL_CLUSTERS}/other/status`),
      await content.get(`${LOGICAL_CLUSTERS}/cluster/scale`),
      await content.mergePatch(`${LOGICAL_CLUSTERS}/other/status`, { status: {} }),
    ];
    for (const reply of missing)
      expect(reply.expect(404).json<Status>()).toMatchObject({ kind: 'Status', reason: 'NotFound', code: 404 });
    (await content.get('/apis/core.kcp.io/v1/logicalclusters/cluster')).expect(404);
  });

  test('is not found in workspaces that do not wait for the name, that do not exist, or by path', async () => {
    const { type } = scenario;
    const elsewhere = await createWorkspace(type.parent, { path: 'root', name: 'universal' });
    const view = scenario.view(admin);
    for (const cluster of [elsewhere.spec.cluster, 'root', 'nosuchcluster']) {
      const client = single(view, cluster);
      for (const reply of [
        await client.get(''),
        await client.get('/status'),
        await client.mergePatch('/status', { status: {} }),
      ]) {
        expect(reply.expect(404).json<Status>()).toMatchObject({
          reason: 'NotFound',
          details: { name: 'cluster', kind: 'logicalclusters' },
        });
      }
    }
    (await single(view, type.parent).get('')).expect(403, 404);
  });

  test('takes conditions by merge patch while it still waits, as the shard itself sends them', async () => {
    const { metadata, status } = await current();
    const { uid, resourceVersion } = metadata;
    const conditions = [...(status.conditions ?? []), condition('E2EMerge')];
    const patched = await scenario
      .single(admin)
      .mergePatch('/status', { metadata: { uid, resourceVersion }, status: { conditions } });
    expect(patched.expect(200).json<LogicalCluster>().status[list]).toEqual(status[list]);
    expect(await hasCondition('E2EMerge')).toBe(true);
  });

  test('takes conditions by JSON patch', async () => {
    const patch = [{ op: 'add', path: '/status/conditions/-', value: condition('E2EJSON') }];
    (await scenario.single(admin).jsonPatch('/status', patch)).expect(200);
    expect(await hasCondition('E2EJSON')).toBe(true);
  });

  const apply = (type: string) => {
    const applied = { apiVersion: 'core.kcp.io/v1alpha1', kind: 'LogicalCluster', metadata: { name: 'cluster' } };
    return scenario.single(admin).apply('/status', 'e2e', { ...applied, status: { conditions: [condition(type)] } });
  };

  test('takes conditions by server-side apply', async () => {
    (await apply('E2EApply')).expect(200);
    expect(await hasCondition('E2EApply')).toBe(true);
  });

  fieldManagerTest('records the field manager of a server-side apply', async () => {
    const reply = await apply('E2EManager');
    const { metadata } = reply.expect(200).json<LogicalCluster & { metadata: { managedFields: { manager: string }[] } }>();
    expect(metadata.managedFields).toContainEqual(expect.objectContaining({ manager: 'e2e', subresource: 'status' }));
  });

  test('takes conditions by PUT of the whole object', async () => {
    // Controllers of kcp write it, too.
    await eventually('a write that nobody else was faster than', async () => {
      const object = await current();
      const conditions = [...(object.status.conditions ?? []), condition('E2EPut')];
      (await scenario.single(admin).put('/status', { ...object, status: { ...object.status, conditions } })).expect(200);
    });
    expect(await hasCondition('E2EPut')).toBe(true);
  });

  test('drops changes of specification and metadata that are sent to its status', async () => {
    const before = await current();
    const smuggled = {
      metadata: { annotations: { smuggled: 'yes' } },
      spec: { [list]: [] },
      status: { conditions: before.status.conditions },
    };
    (await scenario.single(admin).mergePatch('/status', smuggled)).expect(200);
    const after = await storedLogicalCluster(scenario.cluster);
    expect(after.metadata.annotations).toEqual(before.metadata.annotations);
    expect(after.spec).toEqual(before.spec);
  });

  const preconditions: [string, (object: LogicalCluster) => Promise<Reply>][] = [
    [
      'a PUT with an old resourceVersion',
      object => scenario.single(admin).put('/status', withMetadata(object, { resourceVersion: '1' })),
    ],
    ['a patch with an old resourceVersion', () => patchWithMetadata({ resourceVersion: '1' })],
    ['a patch with the uid of another object', () => patchWithMetadata({ uid: 'another' })],
  ];

  function patchWithMetadata(metadata: ObjectMeta): Promise<Reply> {
    return scenario.single(admin).mergePatch('/status', { metadata, status: { conditions: [] } });
  }

  test.each(preconditions)('answers 409 to %s', async (_, write) => {
    const status = (await write(await current())).expect(409).json<Status>();
    expect(status).toMatchObject({ kind: 'Status', reason: 'Conflict', code: 409 });
  });

  test('refuses a PUT without resourceVersion with 422, and one of another kind or name with 400', async () => {
    const object = await current();
    const one = scenario.single(admin);
    const { resourceVersion: _, ...metadata } = object.metadata;
    (await one.put('/status', { ...object, metadata })).expect(422);
    (await one.put('/status', { ...object, metadata: { ...object.metadata, name: 'other' } })).expect(400);
    (await one.put('/status', { apiVersion: 'v1', kind: 'ConfigMap', metadata: object.metadata })).expect(400);
  });

  test('refuses bodies that do not parse with 400, patch types it does not know with 415, and a failing test with 422', async () => {
    const one = scenario.single(admin);
    (await one.send('PATCH', '/status', { body: '{', contentType: 'application/merge-patch+json' })).expect(400);
    (await one.send('PUT', '/status', { body: '{' })).expect(400);
    for (const contentType of ['application/strategic-merge-patch+json', 'text/plain']) {
      const reply = await one.send('PATCH', '/status', { body: {}, contentType });
      expect(reply.expect(415).json<Status>().reason).toBe('UnsupportedMediaType');
    }
    (await one.jsonPatch('/status', [{ op: 'test', path: '/status/phase', value: 'Nonsense' }])).expect(422);
  });

  test('refuses a body of more than 3 MiB with 413', async () => {
    const patch = { status: { conditions: [], padding: 'x'.repeat(4 * 1024 * 1024) } };
    const status = (await scenario.single(admin).mergePatch('/status', patch)).expect(413).json<Status>();
    expect(status.reason).toBe('RequestEntityTooLarge');
  });

  test('stores nothing of a dry run', async () => {
    const before = (await storedLogicalCluster(scenario.cluster)).status[list] ?? [];
    const remaining = before.filter(name => name !== scenario.name);
    const reply = await scenario.single(admin).mergePatch('/status?dryRun=All', { status: { [list]: remaining } });
    expect(reply.expect(200).json<LogicalCluster>().status[list] ?? []).toEqual(remaining);
    expect((await storedLogicalCluster(scenario.cluster)).status[list]).toEqual(before);
  });

  test('refuses every change of the list but the removal of the own name, and says what is allowed', async () => {
    const { metadata, ...object } = await current();
    const one = scenario.single(admin);
    const added = [...(object.status[list] ?? []), 'root:foreign'];
    const refused = [
      await one.mergePatch('/status', { status: { [list]: added } }),
      await one.jsonPatch('/status', [{ op: 'add', path: `/status/${list}/-`, value: 'root:foreign' }]),
      await one.put('/status', { ...object, metadata, status: { ...object.status, [list]: added } }),
    ];
    for (const reply of refused) expect(reply.expect(422).json<Status>()).toMatchObject(onlyRemoving(lifecycle, scenario.name));
    expect((await storedLogicalCluster(scenario.cluster)).status[list]).toEqual(object.status[list]);
  });

  test('refuses a list that is no list with 500 or 422, and keeps the old one', async () => {
    for (const wrong of ['text', [1]]) {
      (await scenario.single(admin).mergePatch('/status', { status: { [list]: wrong } })).expect(422, 500);
    }
    expect((await storedLogicalCluster(scenario.cluster)).status[list]).toContain(scenario.name);
  });

  // kcp's Go server compares only the lengths of the two lists of initializers.
  deviationTest('refuses to exchange names for others when the list keeps its length', async () => {
    const { status } = await current();
    const exchanged = (status[list] ?? []).map(() => 'root:foreign');
    const reply = await scenario.single(admin).mergePatch('/status', { status: { [list]: exchanged } });
    expect(reply.expect(422).json<Status>()).toMatchObject(onlyRemoving(lifecycle, scenario.name));
  });
});

describe.each(lifecycles)('a workspace that waits for several names in $view', lifecycle => {
  test('loses only the name of the view that removes it, whichever way it is removed', async () => {
    const { list, noun } = lifecycle;
    const alpha = await Scenario.create(lifecycle);
    const { parent } = alpha.type;
    const beta = await Scenario.create(lifecycle, undefined, parent);
    const extended = [alpha, beta].map(({ type }) => ({ path: parent, name: type.name }));
    const gamma = await Scenario.create(lifecycle, { [noun]: true, extend: { with: extended } }, parent);
    const names = [alpha, beta, gamma].map(({ name }) => name);
    expect([...((await storedLogicalCluster(gamma.cluster)).status[list] ?? [])].sort()).toEqual([...names].sort());

    const asAlpha = single(alpha.view(admin), gamma.cluster);
    const refused = await asAlpha.mergePatch('/status', { status: { [list]: names.filter(name => name !== beta.name) } });
    expect(refused.expect(422).json<Status>()).toMatchObject(onlyRemoving(lifecycle, alpha.name));
    (await asAlpha.mergePatch('/status', { status: { [list]: [] } })).expect(422);
    (await asAlpha.mergePatch('/status', { status: { [list]: names.filter(name => name !== alpha.name) } })).expect(200);

    const asBeta = single(beta.view(admin), gamma.cluster);
    const at = ((await asBeta.get('')).expect(200).json<LogicalCluster>().status[list] ?? []).indexOf(beta.name);
    (await asBeta.jsonPatch('/status', [{ op: 'remove', path: `/status/${list}/${at}` }])).expect(200);
    expect((await storedLogicalCluster(gamma.cluster)).status[list]).toEqual([gamma.name]);

    const asGamma = single(gamma.view(admin), gamma.cluster);
    // kcp's own controllers write labels meanwhile, and a PUT of an older version is a conflict.
    await eventually('a PUT without a conflict', async () => {
      const object = (await asGamma.get('')).expect(200).json<LogicalCluster>();
      (await asGamma.put('/status', { ...object, status: { ...object.status, [list]: [] } })).expect(200);
    });
  });
});
