/**
 * The road of an operator's install: a client at kcp's front proxy, whose `/services/` goes to the root shard, which sends it on to the virtual
 * workspaces as masters with the caller in `Impersonate-*`. It has to lead where the published URLs lead.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Client, type Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { bindExport, type CreatedExport, createExport, grantContent, viewOfExport } from './support/exports.ts';
import { anonymous, certified, target, user } from './support/identities.ts';
import type { KubeObject, List, Status } from './support/kube.ts';
import { initializing } from './support/lifecycle.ts';
import { createServiceAccount } from './support/service-accounts.ts';
import { createPending, viewOf, wildcard } from './support/views.ts';
import { adminIn, admit, createParent, createType, grant, uniqueSuffix } from './support/workspaces.ts';

const GROUP = `e2e-${uniqueSuffix()}.dev`;
const ROADS = { group: GROUP, plural: 'roads', kind: 'Road' };
const API = `/apis/${GROUP}/v1`;
const ALL = `/clusters/*${API}/roads`;
const VERBS = ['get', 'list', 'watch', 'create', 'delete'];
const through = target.servicesFrontProxyURL;
const describeOperator = through === undefined ? describe.skip : describe;

const at = (credentials: Credentials): Client => new Client(through ?? '', target.servingAuthority, credentials);
const road = (name: string): KubeObject => ({
  ...{ apiVersion: `${GROUP}/v1`, kind: 'Road' },
  metadata: { name, namespace: 'default' },
});

describeOperator('through the mapping of /services/ in a front proxy of kcp', () => {
  let exported: CreatedExport;
  let consumer: string;
  let cluster: string;
  const provider = certified('road-provider');
  const viewThrough = (credentials: Credentials): Client =>
    at(credentials).at(`/services/apiexport/${exported.cluster}/${exported.name}`);

  beforeAll(async () => {
    exported = await createExport(await createParent(), { resources: [ROADS] });
    consumer = await createParent();
    await bindExport(consumer, exported);
    const stored = await eventually('a road', async () =>
      (await adminIn(consumer).post(`${API}/namespaces/default/roads`, road('first'))).expect(201),
    );
    cluster = stored.json<KubeObject>().metadata?.annotations?.['kcp.io/cluster'] ?? '';
    for (const name of ['road-provider', 'user-1']) {
      await admit(exported.parent, name);
      await grantContent(exported, name, VERBS);
    }
    await eventually('access', async () => (await viewThrough(provider).get(ALL)).expect(200));
  }, 120_000);

  test.each([
    { by: 'certificate', credentials: () => provider },
    { by: 'token', credentials: () => user(1) },
  ])('a provider known by $by sees what he sees at the published URL', async ({ credentials }) => {
    const direct = (await viewOfExport(exported, credentials()).get(ALL)).expect(200).json<List<KubeObject>>();
    const mapped = (await viewThrough(credentials()).get(ALL)).expect(200).json<List<KubeObject>>();
    expect(mapped.items).toEqual(direct.items);
    expect(mapped.items).toHaveLength(1);
  });

  test('watches deliver, and writes are stored as the caller', async () => {
    const watch = await viewThrough(provider).watch(ALL);
    const content = viewThrough(provider).at(`/clusters/${cluster}${API}/namespaces/default/roads`);
    (await content.post('', road('second'))).expect(201);
    await watch.until('the second road', ({ object }) => object.metadata?.name === 'second');
    (await content.delete('/second')).expect(200);
    await watch.until('its end', ({ type }) => type === 'DELETED');
    watch.close();
  });

  test('a service account of a workspace is who it is', async () => {
    const account = await createServiceAccount(exported.parent);
    await grantContent(exported, account.globalName, VERBS);
    await admit(exported.parent, account.globalName);
    await eventually('access', async () => (await viewThrough(account.credentials).get(ALL)).expect(200));
  });

  test('a stranger is refused as at the published URL, and nobody at all is, too', async () => {
    const direct = (await viewOfExport(exported, user(2)).get(ALL)).expect(403).json<Status>();
    expect((await viewThrough(user(2)).get(ALL)).expect(403).json<Status>()).toEqual(direct);
    (await viewThrough(anonymous).get(ALL)).expect(401, 403);
  });

  test('nobody gets further by naming somebody else', async () => {
    const forged = { 'X-Remote-User': 'road-provider', 'X-Remote-Group': 'system:masters' };
    (await viewThrough(user(2)).get(ALL, forged)).expect(403);
    const impersonating = { 'Impersonate-User': 'road-provider', 'Impersonate-Group': 'system:masters' };
    (await viewThrough(user(2)).get(ALL, impersonating)).expect(403);
  });

  test('the owner of a type finds the workspaces that wait for him', async () => {
    const type = await createType(await createParent(), { initializer: true });
    await admit(type.parent, 'user-1');
    await grant(type, 'user-1', initializing.verb);
    await createPending(initializing, type);
    const owner = user(1);
    const direct = wildcard(viewOf(initializing, type.lifecycleName, owner));
    await eventually('access', async () => (await direct.get('')).expect(200));
    const mapped = wildcard(at(owner).at(`/services/${initializing.view}/${type.lifecycleName}`));
    const items = (list: List<KubeObject>): string[] => list.items.map(({ metadata }) => metadata?.uid ?? '');
    expect(items((await mapped.get('')).expect(200).json())).toEqual(items((await direct.get('')).expect(200).json()));
  });
});
