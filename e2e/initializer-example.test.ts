/** The example of a type owner's controller, as a process of its own: it follows the URLs of its type, on every shard. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { describeReachable, Example } from './support/example.ts';
import { target } from './support/identities.ts';
import type { ConfigMap } from './support/kube.ts';
import {
  adminIn,
  createParent,
  createWorkspace,
  deleteWorkspace,
  isReady,
  untilGone,
  workspaceWhere,
} from './support/workspaces.ts';

const WELCOME = '/api/v1/namespaces/default/configmaps/welcome';

let parent: string;
let controller: Example;

describeReachable("a type owner's controller", () => {
  beforeAll(async () => {
    parent = await createParent();
    controller = new Example('initializer/initializer.ts', parent, '--type=example');
  }, 120_000);
  afterAll(() => controller?.remove());

  test('it follows two URLs for each shard', async () => {
    await eventually('the URLs of the type', async () => expect(controller.served).toHaveLength(2 * target.shards.length));
    const isOf = (view: string) => (url: string) => url.includes(`/services/${view}/`) && url.endsWith(':example');
    expect(controller.served.filter(isOf('initializingworkspaces'))).toHaveLength(target.shards.length);
    expect(controller.served.filter(isOf('terminatingworkspaces'))).toHaveLength(target.shards.length);
  });

  test.each(target.shards.map(({ name }) => name))(
    'it fills a workspace on shard %s before it is Ready, and lets it go',
    async shard => {
      const { metadata, spec } = await createWorkspace(parent, { path: parent, name: 'example' }, undefined, shard);
      await workspaceWhere('is Ready', parent, metadata.name, isReady);
      const welcome = (await adminIn(`${parent}:${metadata.name}`).get(WELCOME)).expect(200).json<ConfigMap>();
      expect(welcome.data).toEqual({ text: 'Welcome to a workspace of type example!' });
      await deleteWorkspace(parent, metadata.name);
      await untilGone(parent, metadata.name);
      expect(controller.said).toContain(`workspace ${spec.cluster} may go`);
    },
    120_000,
  );

  test('it ends when it is told to', async () => {
    expect(await controller.stop()).toBe(0);
    expect(controller.served).toEqual([]);
  });
});
