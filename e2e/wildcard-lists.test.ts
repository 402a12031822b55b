import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { admin, masters } from './support/identities.ts';
import type { List, LogicalCluster, Status, Table } from './support/kube.ts';
import { lifecycles } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { deviationTest } from './support/suite.ts';
import { clustersIn, listClusters, viewOf } from './support/views.ts';
import { createParent, createType, storedLogicalCluster } from './support/workspaces.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const PARTIAL_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

describe.each(lifecycles)('a list of $view', lifecycle => {
  let alpha: Scenario;
  let beta: Scenario;
  let gamma: Scenario;
  let clusters: string[];

  beforeAll(async () => {
    const parent = await createParent();
    alpha = await Scenario.create(lifecycle, undefined, parent);
    beta = await Scenario.create(lifecycle, undefined, parent);
    const extended = [alpha, beta].map(({ type }) => ({ path: parent, name: type.name }));
    gamma = await Scenario.create(lifecycle, { [lifecycle.noun]: true, extend: { with: extended } }, parent);
    clusters = [alpha.cluster, gamma.cluster].sort();
  });

  test('holds the workspaces that wait for the name, those of extending types included, and no others', async () => {
    expect(await listClusters(alpha.view(admin))).toEqual(clusters);
    expect(await listClusters(beta.view(admin))).toEqual([beta.cluster, gamma.cluster].sort());
    expect(await listClusters(gamma.view(admin))).toEqual([gamma.cluster]);
  });

  test('is empty for a type that no workspace waits for, and for a name without a type', async () => {
    const idle = await createType(alpha.type.parent, { [lifecycle.noun]: true });
    expect(await listClusters(viewOf(lifecycle, idle.lifecycleName, admin))).toEqual([]);
    expect(await listClusters(viewOf(lifecycle, 'whatever', masters))).toEqual([]);
  });

  test('shows the objects exactly as the shard stores them', async () => {
    const list = (await alpha.wildcard(admin).get('')).expect(200).json<List<LogicalCluster>>();
    expect(list).toMatchObject({
      kind: 'LogicalClusterList',
      apiVersion: 'core.kcp.io/v1alpha1',
      metadata: { resourceVersion: expect.any(String) },
    });
    // kcp's controllers may still write to it between the list and the read.
    await eventually('agreement of list and read', async () => {
      const { items } = (await alpha.wildcard(admin).get('')).expect(200).json<List<LogicalCluster>>();
      const shown = items.find(({ metadata }) => metadata.annotations?.['kcp.io/cluster'] === alpha.cluster);
      expect(shown).toEqual(await storedLogicalCluster(alpha.cluster));
    });
  });

  test('narrows with the label selector of the caller and never widens', async () => {
    const select = (selector: string) => alpha.wildcard(admin).get(`?labelSelector=${encodeURIComponent(selector)}`);
    const matching = (await select('tenancy.kcp.io/phase')).expect(200).json<List<LogicalCluster>>();
    expect(clustersIn(matching)).toEqual(clusters);
    for (const excluding of [
      'tenancy.kcp.io/phase=Ready',
      '!tenancy.kcp.io/phase',
      'no-such-label',
      'tenancy.kcp.io/phase in (Ready)',
    ]) {
      const none = (await select(excluding)).expect(200).json<List<LogicalCluster>>();
      expect(clustersIn(none)).toEqual([]);
    }
  });

  test('refuses selectors that do not parse or name unknown fields with 400', async () => {
    const labels = (await alpha.wildcard(admin).get(`?labelSelector=${encodeURIComponent('a===b')}`)).expect(400).json<Status>();
    expect(labels).toMatchObject({ kind: 'Status', reason: 'BadRequest', code: 400 });
    const fields = (await alpha.wildcard(admin).get(`?fieldSelector=${encodeURIComponent('spec.x=y')}`))
      .expect(400)
      .json<Status>();
    expect(fields.message).toContain('field label not supported: spec.x');
  });

  test('comes in pages that continue where the last one ended', async () => {
    const first = (await alpha.wildcard(admin).get('?limit=1')).expect(200).json<List<LogicalCluster>>();
    expect(first.items).toHaveLength(1);
    expect(first.metadata.continue).toEqual(expect.stringMatching(/.+/));
    const rest = await alpha.wildcard(admin).get(`?limit=5&continue=${encodeURIComponent(first.metadata.continue ?? '')}`);
    const second = rest.expect(200).json<List<LogicalCluster>>();
    expect([...clustersIn(first), ...clustersIn(second)].sort()).toEqual(clusters);
    expect(second.metadata.continue ?? '').toBe('');
  });

  test('refuses a continue token that it did not issue', async () => {
    const status = (await alpha.wildcard(admin).get('?continue=nonsense')).expect(400).json<Status>();
    expect(status.reason).toBe('BadRequest');
  });

  test('can be asked for as of a resourceVersion', async () => {
    const { metadata } = (await alpha.wildcard(admin).get('')).expect(200).json<List<LogicalCluster>>();
    for (const match of ['NotOlderThan', 'Exact']) {
      const reply = await alpha.wildcard(admin).get(`?resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=${match}`);
      expect(clustersIn(reply.expect(200).json<List<LogicalCluster>>())).toEqual(clusters);
    }
  });

  // kcp's Go server repeats such a request ten times before it passes the answer on.
  deviationTest(
    'of a resourceVersion that is still to come is refused as soon as the shard refuses it',
    async () => {
      const reply = await alpha.wildcard(admin).get('?resourceVersion=99999999&resourceVersionMatch=NotOlderThan');
      expect(reply.expect(504).json<Status>().details?.causes?.[0]?.reason).toBe('ResourceVersionTooLarge');
    },
    15_000,
  );

  test('comes as a Table with the columns of kubectl', async () => {
    const table = (await alpha.wildcard(admin).get('', { Accept: TABLE })).expect(200).json<Table>();
    expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Phase', 'URL', 'Age']);
    expect(table.rows).toHaveLength(2);
    for (const { cells, object } of table.rows) {
      expect(cells[0]).toBe('cluster');
      expect(cells[1]).toBe((await storedLogicalCluster(object.metadata?.annotations?.['kcp.io/cluster'] ?? '')).status.phase);
      expect(object.kind).toBe('PartialObjectMetadata');
    }
  });

  test('comes as a PartialObjectMetadataList without specification and status', async () => {
    const list = (await alpha.wildcard(admin).get('', { Accept: PARTIAL_LIST })).expect(200).json<List<LogicalCluster>>();
    expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(clustersIn(list)).toEqual(clusters);
    for (const item of list.items) expect(Object.keys(item).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
  });

  test('has no protobuf form, but one for clients that also accept JSON', async () => {
    (await alpha.wildcard(admin).get('', { Accept: 'application/vnd.kubernetes.protobuf' })).expect(406);
    const reply = await alpha.wildcard(admin).get('', { Accept: 'application/vnd.kubernetes.protobuf,application/json' });
    expect(clustersIn(reply.expect(200).json<List<LogicalCluster>>())).toEqual(clusters);
  });

  test('is read-only: every write is 405, in every workspace at once or under the status', async () => {
    const wildcard = alpha.wildcard(admin);
    const refused = [
      await wildcard.post('', { apiVersion: 'core.kcp.io/v1alpha1', kind: 'LogicalCluster', metadata: { name: 'x' } }),
      await wildcard.delete(''),
      await wildcard.put('/cluster', {}),
      await wildcard.mergePatch('/cluster', {}),
      await wildcard.delete('/cluster'),
      await wildcard.get('/cluster/status'),
      await wildcard.put('/cluster/status', {}),
      await wildcard.mergePatch('/cluster/status', {}),
    ];
    for (const reply of refused) {
      expect(reply.expect(405).json<Status>()).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        reason: 'MethodNotAllowed',
        code: 405,
      });
    }
    (await wildcard.get('/cluster/scale')).expect(404);
  });

  test('cannot be narrowed to one object by name, which many workspaces share', async () => {
    const reply = (await alpha.wildcard(admin).get('/cluster')).expect(404);
    expect(reply.json<Status>().kind).toBe('Status');
  });
});
