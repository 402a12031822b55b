/** The example of a provider's controller, as a process of its own: it follows the URLs of its endpoint slice and serves who binds its API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { eventually } from './support/eventually.ts';
import { BINDINGS } from './support/exports.ts';
import { target } from './support/identities.ts';
import type { ConfigMap, KubeObject } from './support/kube.ts';
import { adminIn, createParent } from './support/workspaces.ts';

const EXAMPLE = join(import.meta.dirname, '../examples/provider');
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
  const text = readFileSync(join(EXAMPLE, file), 'utf8').replace('root:provider', provider ?? 'root:provider');
  for (const object of loadAll(text) as KubeObject[]) {
    const path = PLURALS[object.kind ?? ''];
    if (path === undefined) throw new Error(`${file} holds a ${object.kind}`);
    await eventually(`${object.kind} of ${file}`, async () => (await adminIn(workspace).post(path, object)).expect(201, 409));
  }
}

/** The composed fleet, which nobody here has started: the URLs that it publishes name a container, and only its neighbours can use them. */
const isComposed = target.implementation === 'kcp-vw' && target.command === undefined;
const describeReachable = isComposed ? describe.skip : describe;

let folder: string;
let provider: string;
let controller: ChildProcess;
let said = '';
const consumers: string[] = [];

describeReachable("a provider's controller", () => {
  beforeAll(async () => {
    provider = await createParent();
    await apply(provider, 'greetings.yaml');
    folder = mkdtempSync(join(tmpdir(), 'provider-'));
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const { certificate, key } = target.admin;
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'provider',
      contexts: [{ name: 'provider', context: { cluster: 'provider', user: 'admin' } }],
      clusters: [
        {
          name: 'provider',
          cluster: {
            server: `${target.frontProxyURL}/clusters/${provider}`,
            'certificate-authority-data': base64(target.servingAuthority),
          },
        },
      ],
      users: [{ name: 'admin', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
    };
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
    const program = [join(EXAMPLE, 'provider.ts'), `--kubeconfig=${join(folder, 'kubeconfig')}`];
    controller = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
    controller.stdout?.on('data', chunk => {
      said += chunk;
    });
  }, 120_000);
  afterAll(() => {
    controller?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  async function greetFrom(shard: string): Promise<void> {
    const consumer = await createParent(shard);
    consumers.push(consumer);
    await apply(consumer, 'consumer.yaml', provider);
    const greeting = { apiVersion: 'example.dev/v1', kind: 'Greeting', metadata: { name: 'first' }, spec: { to: shard } };
    await eventually('the greeting', async () => (await adminIn(consumer).post(GREETINGS, greeting)).expect(201, 409));
    await eventually(`an answer on ${shard}, which said: ${said}`, async () => {
      const found = (await adminIn(consumer).get(`${GREETINGS}/first`)).expect(200).json<Greeting>();
      expect(found.status?.text).toBe(`Hello, ${shard}!`);
      const map = await adminIn(consumer).get('/api/v1/namespaces/default/configmaps/greeting-first');
      expect(map.expect(200).json<ConfigMap>().data).toEqual({ text: `Hello, ${shard}!` });
    });
  }

  test.each(target.shards.map(({ name }) => name))('it serves a consumer on shard %s', greetFrom, 90_000);

  test('it drops a shard that has no consumer left', async () => {
    expect([...said.matchAll(/^serving (\S+)$/gm)]).toHaveLength(target.shards.length);
    for (const workspace of consumers) (await adminIn(workspace).delete(`${BINDINGS}/greetings`)).expect(200);
    await eventually('the end of all URLs', async () => {
      expect([...said.matchAll(/^no longer serving (\S+)$/gm)]).toHaveLength(target.shards.length);
    });
  }, 90_000);

  test('it ends when it is told to', async () => {
    const ended = new Promise(resolve => controller.once('exit', resolve));
    controller.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
