/**
 * The URLs of a workspace type follow the shards as these come and go. While its Shard object is away the front proxy knows nothing of a
 * shard's workspaces, so nothing else may run meanwhile.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { describeReachableShards, Example } from '../support/example.ts';
import { target } from '../support/identities.ts';
import type { KubeObject, WorkspaceType } from '../support/kube.ts';
import { adminIn, createParent, createWorkspace, isReady, workspaceWhere } from '../support/workspaces.ts';

const TYPE = '/apis/tenancy.kcp.io/v1alpha1/workspacetypes/example';
const leaving = target.shards[1] ?? target.shards[0];
const shards = adminIn('root').at('/apis/core.kcp.io/v1alpha1/shards');

let parent: string;
let controller: Example;
let known: KubeObject;

describeReachableShards('when a shard is taken away and comes back', () => {
  beforeAll(async () => {
    known = (await shards.get(`/${leaving.name}`)).expect(200).json<KubeObject>();
    parent = await createParent();
    controller = new Example('initializer/initializer.ts', parent, '--type=example');
    await untilServed(2 * target.shards.length);
  }, 120_000);
  afterAll(async () => {
    controller?.remove();
    // Whatever has failed: the tests that follow need all shards.
    await comeBack();
  });

  const untilServed = (urls: number): Promise<void> =>
    eventually(`following ${urls} URLs`, async () => expect(controller.served).toHaveLength(urls));
  const published = async (): Promise<string[]> => {
    const type = (await adminIn(parent).get(TYPE)).expect(200).json<WorkspaceType>();
    return (type.status?.virtualWorkspaces ?? []).map(({ url }) => url).sort();
  };
  async function comeBack(): Promise<void> {
    const { name, labels, annotations } = known.metadata ?? {};
    const { 'kcp.io/cluster': _cluster, 'kcp.io/path': _path, ...kept } = annotations ?? {};
    const shard = { ...known, metadata: { name, labels, annotations: kept }, status: undefined };
    (await shards.post('', shard)).expect(201, 409);
  }
  const initialize = async (shard: string): Promise<void> => {
    const { metadata, spec } = await createWorkspace(parent, { path: parent, name: 'example' }, undefined, shard);
    await workspaceWhere('is Ready', parent, metadata.name, isReady);
    expect(controller.said).toContain(`workspace ${spec.cluster} is initialized`);
  };

  test('its URLs leave the status of a type, and who follows them stops there', async () => {
    (await shards.delete(`/${leaving.name}`)).expect(200);
    await untilServed(2 * (target.shards.length - 1));
    expect(controller.served).toEqual(await published());
    expect(controller.served.join(' ')).not.toContain(leaving.virtualWorkspaceURL);
    await initialize('root');
  }, 120_000);

  test('they come back with it, and its workspaces are initialized again', async () => {
    await comeBack();
    await untilServed(2 * target.shards.length);
    expect(controller.served).toEqual(await published());
    await initialize(leaving.name);
  }, 120_000);
});
