import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { freePort } from './free-port.fixture.ts';
import { type StartedKcp, startKcp } from './start.ts';

const TENANCY = '/apis/tenancy.kcp.io/v1alpha1';
const WORKSPACES = `/clusters/root${TENANCY}/workspaces`;
const LOGICAL_CLUSTER = '/apis/core.kcp.io/v1alpha1/logicalclusters/cluster';
const SHARDS = '/clusters/root/apis/core.kcp.io/v1alpha1/shards';

let started: StartedKcp;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dev-shards-test-'));
  const ports = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()] as const;
  started = await startKcp({
    folder,
    host: '127.0.0.1',
    shardPorts: [ports[0], ports[1]],
    frontProxyPort: ports[2],
    // Nobody is there: workspaces stay Initializing, which is far enough here.
    virtualWorkspaceURLs: [new URL(`https://127.0.0.1:${ports[3]}`), new URL(`https://127.0.0.1:${ports[4]}`)],
    onError: () => undefined,
  });
});

afterAll(async () => {
  await started.kcp.stop();
  rmSync(folder, { recursive: true });
});

type Place = 'front proxy' | 0 | 1;

/** At the front proxy as kcp-admin, at shards as masters. */
async function ask(at: Place, path: string, { method = 'GET', body }: { method?: string; body?: unknown } = {}) {
  const { pairs } = started.folder;
  const pair = pairs[at === 'front proxy' ? 'kcp-admin' : 'shard-client'];
  const outgoing = request(`${at === 'front proxy' ? started.frontProxyURL : started.shards[at]?.url}${path}`, {
    agent: false,
    ca: pairs['serving-ca']?.certPem,
    cert: pair?.certPem,
    key: pair?.keyPem,
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }) },
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, text, json: () => JSON.parse(text) };
}

async function eventually<T>(attempt: () => Promise<T>, pause = 50): Promise<T> {
  for (let left = 3_000 / pause; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 0) throw error;
    }
    await sleep(pause);
  }
}

/** A workspace below root on a shard with that name; resolves with its logical cluster. */
async function createWorkspace(name: string, selector: object): Promise<{ cluster: string; workspace: KubeObject }> {
  const spec = { type: { name: 'universal', path: 'root' }, location: { selector } };
  const body = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name }, spec };
  await eventually(async () => expect((await ask('front proxy', WORKSPACES, { method: 'POST', body })).status).toBe(201));
  return eventually(async () => {
    const workspace = (await ask('front proxy', `${WORKSPACES}/${name}`)).json();
    expect(workspace.spec.cluster).toBeDefined();
    return { cluster: workspace.spec.cluster, workspace };
  });
}

describe('two shards', () => {
  test('are known in root, each with its own addresses', async () => {
    const { items } = (await ask('front proxy', SHARDS)).json();
    expect(items).toMatchObject([
      { metadata: { name: 'root', labels: { name: 'root' } }, spec: { baseURL: started.shards[0].url } },
      { metadata: { name: 'shard-1', labels: { name: 'shard-1' } }, spec: { baseURL: started.shards[1]?.url } },
    ]);
  });

  test('get the workspaces that are wanted on them, and show them to nobody else', async () => {
    const { cluster, workspace } = await createWorkspace('on-one', { matchLabels: { name: 'shard-1' } });
    expect(workspace.metadata?.annotations).toMatchObject({ 'core.kcp.io/shard': 'shard-1' });
    expect((await ask(1, `/clusters/${cluster}${LOGICAL_CLUSTER}`)).status).toBe(200);
    expect((await ask(0, `/clusters/${cluster}${LOGICAL_CLUSTER}`)).status).toBe(404);
    expect((await ask('front proxy', `/clusters/root:on-one${LOGICAL_CLUSTER}`)).json().metadata.annotations).toMatchObject({
      'kcp.io/cluster': cluster,
      'kcp.io/path': 'root:on-one',
    });
    const wildcard = '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters';
    expect((await ask(1, wildcard)).text).toContain(cluster);
    expect((await ask(0, wildcard)).text).not.toContain(cluster);
  });

  test('are chosen by expressions, too, and none where none fits, until one does', async () => {
    const notRoot = { matchExpressions: [{ key: 'name', operator: 'NotIn', values: ['root'] }] };
    const { workspace } = await createWorkspace('not-root', notRoot);
    expect(workspace.metadata?.annotations).toMatchObject({ 'core.kcp.io/shard': 'shard-1' });

    const late = createWorkspace('late', { matchLabels: { tier: 'gold' } });
    await eventually(async () => {
      const { status } = (await ask('front proxy', `${WORKSPACES}/late`)).json();
      expect(status.conditions).toMatchObject([{ type: 'WorkspaceScheduled', status: 'False', reason: 'Unschedulable' }]);
    });
    const shard = (await ask('front proxy', `${SHARDS}/root`)).json();
    const labels = { ...shard.metadata.labels, tier: 'gold' };
    const body = { ...shard, metadata: { ...shard.metadata, labels } };
    expect((await ask('front proxy', `${SHARDS}/root`, { method: 'PUT', body })).status).toBe(200);
    expect((await late).workspace.metadata?.annotations).toMatchObject({ 'core.kcp.io/shard': 'root' });
  });

  test('have no idea of the paths of each other', async () => {
    await createWorkspace('on-one-too', { matchLabels: { name: 'shard-1' } });
    for (const shard of [0, 1] as const) {
      expect(await ask(shard, '/clusters/root:on-one-too/api/v1/namespaces')).toMatchObject({ status: 404 });
    }
  });

  test('know the workspace types of each other through the cache, which the root shard serves', async () => {
    const path = `/services/cache/shards/root/clusters/root${TENANCY}/workspacetypes/universal`;
    expect((await ask(0, path)).json().metadata.annotations).toMatchObject({ 'kcp.io/shard': 'root' });
    expect((await ask(0, path.replace('shards/root', 'shards/shard-1'))).status).toBe(404);
    // The other shard takes this for a path of its virtual workspaces, which are not there.
    expect((await ask(1, path)).status).not.toBe(200);
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
    const resourceAttributes = { group: 'tenancy.kcp.io', resource: 'workspacetypes', name: 'universal', verb: 'use' };
    const spec = { user: 'ada', groups: ['system:authenticated'], resourceAttributes };
    const reviews = '/clusters/root/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const answer = await ask(1, reviews, { method: 'POST', body: { ...review, spec } });
    expect(answer.json().status).toMatchObject({ allowed: true });
  });

  test('come and go in the status of workspace types', async () => {
    const urls = async (): Promise<number> =>
      (await ask('front proxy', `/clusters/root${TENANCY}/workspacetypes/universal`)).json().status.virtualWorkspaces.length;
    const shard = { apiVersion: 'core.kcp.io/v1alpha1', kind: 'Shard', metadata: { name: 'third' } };
    const spec = { baseURL: 'https://third', externalURL: 'https://third', virtualWorkspaceURL: 'https://third' };
    expect(await urls()).toBe(4);
    expect((await ask('front proxy', SHARDS, { method: 'POST', body: { ...shard, spec } })).status).toBe(201);
    await eventually(async () => expect(await urls()).toBe(6));
    await ask('front proxy', `${SHARDS}/third`, { method: 'DELETE' });
    await eventually(async () => expect(await urls()).toBe(4));
  });

  test('fail, count their versions and forget each for itself', async () => {
    const version = async (shard: 0 | 1) => (await ask(shard, '/clusters/*/api/v1/configmaps')).json().metadata.resourceVersion;
    expect(await version(0)).not.toBe(await version(1));
    await ask(1, '/faults', { method: 'PUT', body: { tooManyRequests: 1, match: 'configmaps' } });
    expect((await ask(0, '/clusters/*/api/v1/configmaps')).status).toBe(200);
    expect((await ask(1, '/clusters/*/api/v1/configmaps')).status).toBe(429);

    const { cluster } = await createWorkspace('to-be-lost', { matchLabels: { name: 'shard-1' } });
    expect((await ask(1, '/faults/restart-empty', { method: 'POST' })).status).toBe(202);
    // It is away for a moment only.
    const lost = `/clusters/${cluster}${LOGICAL_CLUSTER}`;
    await eventually(async () => expect((await ask('front proxy', lost)).status).toBe(502), 5);
    await eventually(async () => expect((await ask(1, '/readyz')).status).toBe(200));
    expect((await ask('front proxy', lost)).status).toBe(403);
    expect((await ask('front proxy', SHARDS)).json().items).toHaveLength(2);
  });
});
