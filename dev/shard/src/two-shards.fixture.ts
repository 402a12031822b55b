/** Test equipment: two shards in this process, without the fleet, and what exports APIs on them. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { freePort } from './free-port.fixture.ts';
import { type StartedKcp, startKcp } from './start.ts';

export const APIS = '/apis/apis.kcp.io/v1alpha2';
export const COWBOYS = '/apis/wildwest.dev/v1/namespaces/default/cowboys';

let started: StartedKcp;
let folder: string;

/** Resolves with the addresses at which the shards say that their virtual workspaces are. */
export async function startShards(): Promise<readonly string[]> {
  folder = mkdtempSync(join(tmpdir(), 'dev-apis-test-'));
  const ports = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()] as const;
  // Nobody is there: workspaces stay Initializing, which is enough for masters.
  const virtualWorkspaceURLs = [new URL(`https://127.0.0.1:${ports[3]}`), new URL(`https://127.0.0.1:${ports[4]}`)];
  started = await startKcp({
    ...{ folder, host: '127.0.0.1', shardPorts: [ports[0], ports[1]], frontProxyPort: ports[2], virtualWorkspaceURLs },
    onError: () => undefined,
  });
  return virtualWorkspaceURLs.map(({ origin }) => origin);
}

export async function stopShards(): Promise<void> {
  await started.kcp.stop();
  rmSync(folder, { recursive: true });
}

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Whose request it is, in place of the certificate. */
  readonly token?: string;
}

/** At a shard as masters, at the front proxy as kcp-admin. */
export async function ask(at: 0 | 1 | 'front proxy', path: string, { method = 'GET', body, contentType, token }: Asked = {}) {
  const { pairs } = started.folder;
  const pair = pairs[at === 'front proxy' ? 'kcp-admin' : 'shard-client'];
  const outgoing = request(`${at === 'front proxy' ? started.frontProxyURL : started.shards[at]?.url}${path}`, {
    agent: false,
    ca: pairs['serving-ca']?.certPem,
    ...(token === undefined && { cert: pair?.certPem, key: pair?.keyPem }),
    method,
    headers: {
      ...(body !== undefined && { 'content-type': contentType ?? 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, warning: response.headers.warning, text, json: () => JSON.parse(text) };
}

export async function create(at: 0 | 1, path: string, body: unknown) {
  const answer = await ask(at, path, { method: 'POST', body });
  expect(answer).toMatchObject({ status: 201 });
  return answer.json();
}

export const patch = (at: 0 | 1, path: string, body: unknown) =>
  ask(at, path, { method: 'PATCH', body, contentType: 'application/merge-patch+json' });

export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 0) throw error;
    }
    await sleep(30);
  }
}

/** A workspace below root on that shard, with the namespace `default`; resolves with its logical cluster. */
export async function createWorkspace(name: string, shard: 'root' | 'shard-1'): Promise<string> {
  const spec = { type: { name: 'universal', path: 'root' }, location: { selector: { matchLabels: { name: shard } } } };
  const body = { apiVersion: 'tenancy.kcp.io/v1alpha1', kind: 'Workspace', metadata: { name }, spec };
  const path = '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces';
  await eventually(async () => expect((await ask('front proxy', path, { method: 'POST', body })).status).toBe(201));
  return eventually(async () => {
    const { cluster } = (await ask('front proxy', `${path}/${name}`)).json().spec;
    const namespace = `/clusters/${cluster}/api/v1/namespaces/default`;
    expect((await ask(shard === 'root' ? 0 : 1, namespace)).status).toBe(200);
    return cluster;
  });
}

export const schemaNamed = (prefix: string, versions: readonly string[]) => ({
  apiVersion: 'apis.kcp.io/v1alpha1',
  kind: 'APIResourceSchema',
  metadata: { name: `${prefix}.cowboys.wildwest.dev` },
  spec: {
    group: 'wildwest.dev',
    names: { kind: 'Cowboy', listKind: 'CowboyList', plural: 'cowboys', singular: 'cowboy', shortNames: ['cb'] },
    scope: 'Namespaced',
    conversion: { strategy: 'None' },
    versions: versions.map((name, i) => ({
      name,
      served: true,
      storage: i === 0,
      schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            required: ['intent'],
            properties: { intent: { type: 'string' }, replicas: { type: 'integer' } },
          },
          status: { type: 'object', properties: { result: { type: 'string' }, replicas: { type: 'integer' } } },
        },
      },
      subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
      additionalPrinterColumns: [{ name: 'Intent', type: 'string', jsonPath: '.spec.intent' }],
    })),
  },
});

export const exportNamed = (name: string, extra: object = {}) => ({
  apiVersion: 'apis.kcp.io/v1alpha2',
  kind: 'APIExport',
  metadata: { name },
  spec: {
    resources: [{ group: 'wildwest.dev', name: 'cowboys', schema: 'today.cowboys.wildwest.dev', storage: { crd: {} } }],
    ...extra,
  },
});

export const bindingTo = (name: string, permissionClaims: readonly object[] = []) => ({
  apiVersion: 'apis.kcp.io/v1alpha2',
  kind: 'APIBinding',
  metadata: { name },
  spec: { reference: { export: { path: 'root:provider', name } }, permissionClaims },
});

export const cowboy = (name: string, spec: object = { intent: 'catch' }) => ({
  apiVersion: 'wildwest.dev/v1',
  kind: 'Cowboy',
  metadata: { name, namespace: 'default' },
  spec,
});

export const configMap = (name: string, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels },
});
