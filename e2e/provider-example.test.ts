/** The example of a provider's controller, as a process of its own: it follows the URLs of its endpoint slice and serves who binds its API. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { eventually } from './support/eventually.ts';
import { describeReachable, Example, folderOf } from './support/example.ts';
import { BINDINGS } from './support/exports.ts';
import { target } from './support/identities.ts';
import type { ConfigMap, KubeObject } from './support/kube.ts';
import { adminIn, createParent } from './support/workspaces.ts';

const GREETINGS = '/apis/example.dev/v1/namespaces/default/greetings';
const PLURALS: Readonly<Record<string, string>> = {
  APIResourceSchema: '/apis/apis.kcp.io/v1alpha1/apiresourceschemas',
  APIExport: '/apis/apis.kcp.io/v1alpha2/apiexports',
  APIBinding: BINDINGS,
};

interface Greeting extends KubeObject {
  status?: { text?: string };
}

/** Writes the objects of one of the example's files into a workspace, as `kubectl apply -f` would. */
async function apply(workspace: string, file: string, provider?: string): Promise<void> {
  const text = readFileSync(join(folderOf('provider'), file), 'utf8').replace('root:provider', provider ?? 'root:provider');
  for (const object of loadAll(text) as KubeObject[]) {
    const path = PLURALS[object.kind ?? ''];
    if (path === undefined) throw new Error(`${file} holds a ${object.kind}`);
    await eventually(`${object.kind} of ${file}`, async () => (await adminIn(workspace).post(path, object)).expect(201, 409));
  }
}

const shards = target.shards.map(({ name }) => name);
const last = target.shards.at(-1) ?? target.shards[0];
/** By shard. */
const consumers = new Map<string, string>();
let provider: string;
let controller: Example;

describeReachable("a provider's controller", () => {
  beforeAll(async () => {
    provider = await createParent();
    await apply(provider, 'greetings.yaml');
    controller = new Example('provider/provider.ts', provider);
  }, 120_000);
  afterAll(() => controller?.remove());

  async function bindOn(shard: string): Promise<void> {
    const consumer = consumers.get(shard) ?? (await createParent(shard));
    consumers.set(shard, consumer);
    await apply(consumer, 'consumer.yaml', provider);
  }

  async function greet(shard: string, name: string): Promise<void> {
    const consumer = adminIn(consumers.get(shard) ?? '');
    const greeting = { apiVersion: 'example.dev/v1', kind: 'Greeting', metadata: { name }, spec: { to: shard } };
    await eventually('the greeting', async () => (await consumer.post(GREETINGS, greeting)).expect(201, 409));
    await eventually(`an answer on ${shard}, which said: ${controller.said}`, async () => {
      const found = (await consumer.get(`${GREETINGS}/${name}`)).expect(200).json<Greeting>();
      expect(found.status?.text).toBe(`Hello, ${shard}!`);
      const map = await consumer.get(`/api/v1/namespaces/default/configmaps/greeting-${name}`);
      expect(map.expect(200).json<ConfigMap>().data).toEqual({ text: `Hello, ${shard}!` });
    });
  }

  const unbindOn = async (shard: string): Promise<void> =>
    void (await adminIn(consumers.get(shard) ?? '').delete(`${BINDINGS}/greetings`)).expect(200);
  const untilServed = (urls: number): Promise<void> =>
    eventually(`following ${urls} URLs`, async () => expect(controller.served).toHaveLength(urls));

  test('it serves nobody while nobody has bound its API', () => {
    expect(controller.served).toEqual([]);
  });

  test.each(shards)(
    'it serves the first consumer on shard %s',
    async shard => {
      await bindOn(shard);
      await greet(shard, 'first');
      expect(controller.served).toHaveLength(consumers.size);
    },
    90_000,
  );

  test('it drops a shard whose last consumer has left, and no other', async () => {
    await unbindOn(last.name);
    await untilServed(shards.length - 1);
    expect(controller.served.join(' ')).not.toContain(last.virtualWorkspaceURL);
  }, 90_000);

  test('it takes the shard up again with its next consumer', async () => {
    await bindOn(last.name);
    await greet(last.name, 'second');
    expect(controller.served).toHaveLength(shards.length);
  }, 90_000);

  test('it serves nobody when all have left', async () => {
    for (const shard of shards) await unbindOn(shard);
    await untilServed(0);
  }, 90_000);

  test('it ends when it is told to', async () => {
    expect(await controller.stop()).toBe(0);
  });
});
