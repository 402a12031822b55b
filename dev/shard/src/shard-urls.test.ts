import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

const SHARDS = '/clusters/root/apis/core.kcp.io/v1alpha1/shards';
const UNIVERSAL = '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspacetypes/universal';

let addresses: readonly string[];
beforeAll(async () => {
  addresses = await startShards();
});
afterAll(stopShards);

const origins = (published: readonly { url: string }[] = []): string[] => [
  ...new Set(published.map(({ url }) => new URL(url).origin)),
];
const ofTheType = async (): Promise<string[]> => origins((await ask(0, UNIVERSAL)).json().status?.virtualWorkspaces);

test('the URLs of a workspace type go with a Shard object, and come back with it', async () => {
  await eventually(async () => expect(await ofTheType()).toEqual(addresses));
  const { metadata, spec } = (await ask(0, `${SHARDS}/shard-1`)).json();
  expect((await ask(0, `${SHARDS}/shard-1`, { method: 'DELETE' })).status).toBe(200);
  await eventually(async () => expect(await ofTheType()).toEqual([addresses[0]]));
  const { name, labels } = metadata;
  await create(0, SHARDS, { apiVersion: 'core.kcp.io/v1alpha1', kind: 'Shard', metadata: { name, labels }, spec });
  await eventually(async () => expect(await ofTheType()).toEqual(addresses));
});

test('the URL of a shard is in an endpoint slice from its first consumer to its last', async () => {
  const provider = `/clusters/${await createWorkspace('provider', 'root')}`;
  const consumers = [await createWorkspace('one', 'shard-1'), await createWorkspace('two', 'shard-1')];
  await create(0, `${provider}/apis/apis.kcp.io/v1alpha1/apiresourceschemas`, schemaNamed('today', ['v1']));
  await create(0, `${provider}${APIS}/apiexports`, exportNamed('cowboys'));
  const ofTheSlice = async (): Promise<string[]> => {
    const slice = await ask(0, `${provider}/apis/apis.kcp.io/v1alpha1/apiexportendpointslices/cowboys`);
    return origins(slice.json().status?.endpoints);
  };
  const unbind = (consumer: string | undefined) =>
    ask(1, `/clusters/${consumer}${APIS}/apibindings/cowboys`, { method: 'DELETE' });
  const isGone = (consumer: string | undefined) =>
    eventually(async () => expect((await ask(1, `/clusters/${consumer}${APIS}/apibindings/cowboys`)).status).toBe(404));

  for (const consumer of consumers) {
    await eventually(() => create(1, `/clusters/${consumer}${APIS}/apibindings`, bindingTo('cowboys')));
    await eventually(async () => expect(await ofTheSlice()).toEqual([addresses[1]]));
  }
  await unbind(consumers[0]);
  await isGone(consumers[0]);
  expect(await ofTheSlice()).toEqual([addresses[1]]);
  await unbind(consumers[1]);
  await eventually(async () => expect(await ofTheSlice()).toEqual([]));
});
