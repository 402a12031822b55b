import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from './free-port.fixture.ts';
import { type StartedKcp, startKcp } from './start.ts';

const ROOT = '/clusters/root';
const NAMESPACES = `${ROOT}/api/v1/namespaces`;
const LOGICAL_CLUSTER = '/apis/core.kcp.io/v1alpha1/logicalclusters/cluster';

let started: StartedKcp;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dev-shard-test-'));
  const [shardPort, frontProxyPort, viewsPort] = [await freePort(), await freePort(), await freePort()];
  started = await startKcp({
    folder,
    host: '127.0.0.1',
    shardPorts: [shardPort],
    frontProxyPort,
    // Nobody is there: what needs the views waits for ever.
    virtualWorkspaceURLs: [new URL(`https://127.0.0.1:${viewsPort}`)],
    onError: () => undefined,
  });
});

afterAll(async () => {
  await started.kcp.stop();
  rmSync(folder, { recursive: true });
});

interface Asked {
  readonly at?: 'shard' | 'front proxy';
  readonly method?: string;
  /** Name of a client certificate. */
  readonly as?: string;
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: unknown;
}

async function ask(path: string, { at = 'shard', method = 'GET', as, token, headers, body }: Asked = {}) {
  const { pairs } = started.folder;
  const pair = as === undefined ? undefined : pairs[as];
  const outgoing = request(`${at === 'shard' ? started.shards[0].url : started.frontProxyURL}${path}`, {
    agent: false,
    ca: pairs['serving-ca']?.certPem,
    ...(pair && { cert: pair.certPem, key: pair.keyPem }),
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, text, type: response.headers['content-type'] };
}

const MASTERS = { as: 'shard-client' } as const;
const ADMIN = { as: 'kcp-admin' } as const;

describe('a shard', () => {
  test('knows its callers by certificate and by token, and nobody by a token that it has not given', async () => {
    expect((await ask(NAMESPACES, MASTERS)).status).toBe(200);
    expect((await ask(NAMESPACES, { token: started.shards[0].tokens.masters })).status).toBe(200);
    expect((await ask(NAMESPACES, ADMIN)).status).toBe(200);
    expect((await ask(NAMESPACES, { token: 'user-1-token' })).text).toContain('User \\"user-1\\" cannot list resource');
    expect((await ask(NAMESPACES)).text).toContain('User \\"system:anonymous\\" cannot list resource');
    expect((await ask(NAMESPACES, { token: 'nobody-issued-this' })).status).toBe(401);
  });

  test('lets a certificate win over a token that it does not know', async () => {
    expect((await ask(NAMESPACES, { ...ADMIN, token: 'nobody-issued-this' })).status).toBe(200);
  });

  test('believes the proxy that it trusts, and only that one', async () => {
    const headers = { 'X-Remote-User': 'ada', 'X-Remote-Group': 'system:masters' };
    expect((await ask(NAMESPACES, { as: 'front-proxy', headers })).status).toBe(200);
    expect((await ask(NAMESPACES, { token: 'user-1-token', headers })).status).toBe(403);
  });

  test('serves all logical clusters at once to masters only', async () => {
    const path = '/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters';
    expect((await ask(path, MASTERS)).status).toBe(200);
    expect((await ask(path, ADMIN)).status).toBe(403);
  });

  test('has no workspace at a path that leads nowhere, and refuses what can be no path', async () => {
    expect((await ask('/clusters/root:nowhere/api', MASTERS)).status).toBe(404);
    expect((await ask('/clusters/Root/api', MASTERS)).status).toBe(400);
  });

  test('serves the types of all workspaces from its cache, to masters', async () => {
    const path = '/services/cache/shards/*/clusters/*/apis/tenancy.kcp.io/v1alpha1/workspacetypes';
    expect((await ask(path, MASTERS)).text).toContain('"universal"');
    expect((await ask(path, ADMIN)).status).toBe(403);
  });

  test('says who asks, and reviews access and tokens', async () => {
    const create = async (path: string, kind: string, spec: object, who: Asked = ADMIN) => {
      const [group = ''] = path.split('/');
      const body = { apiVersion: `${group}/v1`, kind, spec };
      const reply = await ask(`${ROOT}/apis/${path}`, { ...who, method: 'POST', body });
      expect(reply.status).toBe(201);
      return (JSON.parse(reply.text) as { status: Record<string, unknown> }).status;
    };
    const self = await create('authentication.k8s.io/v1/selfsubjectreviews', 'SelfSubjectReview', {});
    expect(self).toMatchObject({ userInfo: { username: 'kcp-admin', groups: expect.arrayContaining(['system:kcp:admin']) } });
    const attributes = { group: 'tenancy.kcp.io', resource: 'workspacetypes', name: 'universal', verb: 'use' };
    const review = (user: string, verb: string) =>
      create('authorization.k8s.io/v1/subjectaccessreviews', 'SubjectAccessReview', {
        user,
        groups: ['system:authenticated'],
        resourceAttributes: { ...attributes, verb },
      });
    expect(await review('ada', 'use')).toEqual({ allowed: true, reason: 'access granted' });
    expect(await review('ada', 'initialize')).toEqual({ allowed: false, reason: 'access denied' });
    const tokens = (token: string) => create('authentication.k8s.io/v1/tokenreviews', 'TokenReview', { token });
    expect(await tokens('user-2-token')).toMatchObject({
      authenticated: true,
      user: { username: 'user-2', uid: '2222-2222-2222-2222', groups: ['team-2', 'system:authenticated'] },
    });
    expect(await tokens('other')).toMatchObject({ user: {}, error: 'invalid bearer token' });
  });

  test('lets masters act for others, and administrators for those who are not above them', async () => {
    const asUser = (user: string, ...groups: string[]) => ({ 'Impersonate-User': user, 'Impersonate-Group': groups });
    expect((await ask(NAMESPACES, { ...MASTERS, headers: asUser('ada', 'team') })).status).toBe(403);
    expect((await ask(NAMESPACES, { ...ADMIN, headers: asUser('ada', 'system:masters') })).status).toBe(403);
    expect((await ask(NAMESPACES, { token: 'user-1-token', headers: asUser('ada') })).status).toBe(403);
    expect((await ask(NAMESPACES, { ...MASTERS, headers: { 'Impersonate-Group': 'team' } })).status).toBe(400);
  });

  test("answers in protobuf for Kubernetes' own types, where that is asked for", async () => {
    const headers = { accept: 'application/vnd.kubernetes.protobuf' };
    const reply = await ask(NAMESPACES, { ...ADMIN, headers });
    expect(reply).toMatchObject({ status: 200, type: 'application/vnd.kubernetes.protobuf' });
    expect(reply.text).toMatch(/^k8s\0/);
    expect(reply.text).toContain('NamespaceList');
    expect(reply.text).toContain('default');
    expect((await ask(`${ROOT}${LOGICAL_CLUSTER}`, { ...ADMIN, headers })).status).toBe(406);
  });
});

describe('the front proxy', () => {
  test('takes from certificates what must not reach a shard', async () => {
    expect((await ask(NAMESPACES, { ...ADMIN, at: 'front proxy' })).status).toBe(200);
    expect((await ask(NAMESPACES, { ...MASTERS, at: 'front proxy' })).status).toBe(403);
  });

  test('passes tokens on unread', async () => {
    expect((await ask(NAMESPACES, { token: started.shards[0].tokens.masters, at: 'front proxy' })).status).toBe(200);
    expect((await ask(NAMESPACES, { token: 'nobody-issued-this', at: 'front proxy' })).status).toBe(401);
  });

  test('forbids what it does not know, all logical clusters included', async () => {
    for (const cluster of ['root:nowhere', 'nowhere', '*']) {
      const reply = await ask(`/clusters/${cluster}/api/v1/namespaces`, { ...ADMIN, at: 'front proxy' });
      expect(reply.status).toBe(403);
      expect(reply.text).toContain('workspace access not permitted');
    }
  });
});

describe('faults on demand', () => {
  const set = (faults: object) => ask('/faults', { ...MASTERS, method: 'PUT', body: faults });
  const act = (action: string) => ask(`/faults/${action}`, { ...MASTERS, method: 'POST' });
  const eventually = async (): Promise<void> => {
    for (let left = 50; ; left--) {
      try {
        if ((await ask('/readyz')).status === 200) return;
      } catch (error) {
        // It is away for a moment.
        if (left === 0) throw error;
      }
      await sleep(50);
    }
  };

  test('are for masters', async () => {
    expect((await ask('/faults', ADMIN)).status).toBe(403);
    expect((await ask('/faults', { ...MASTERS, method: 'PUT', body: { latency: 'long' } })).status).toBe(400);
  });

  test('refuse, cut and delay so many requests as asked', async () => {
    await set({ tooManyRequests: 1, match: '/namespaces' });
    expect((await ask(`${ROOT}${LOGICAL_CLUSTER}`, ADMIN)).status).toBe(200);
    expect((await ask(NAMESPACES, ADMIN)).status).toBe(429);
    expect((await ask(NAMESPACES, ADMIN)).status).toBe(200);
    await set({ resets: 1 });
    await expect(ask(NAMESPACES, ADMIN)).rejects.toThrow('socket hang up');
    await set({ latency: 200 });
    const began = performance.now();
    expect((await ask(NAMESPACES, ADMIN)).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(190);
    await set({});
  });

  test('forget the history', async () => {
    const { resourceVersion } = started.root.state.store;
    started.root.state.objects.create({ group: '', resource: 'configmaps' }, 'root', {
      metadata: { name: 'a', namespace: 'default' },
    });
    await act('compact');
    const watch = await ask(`${NAMESPACES}?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=1`, ADMIN);
    expect(watch.text).toContain('"code":410');
  });

  test('cut every connection', async () => {
    const watch = ask(`${NAMESPACES}?watch=true&timeoutSeconds=60`, ADMIN);
    const cut = expect(watch).rejects.toThrow('aborted');
    await sleep(100);
    await act('disconnect');
    await cut;
    await eventually();
  });

  test('restart with the state and without it', async () => {
    const { uid } = JSON.parse((await ask(`${ROOT}${LOGICAL_CLUSTER}`, ADMIN)).text).metadata;
    const uidAfter = async (action: string): Promise<string> => {
      expect((await act(action)).status).toBe(202);
      await sleep(100);
      await eventually();
      return JSON.parse((await ask(`${ROOT}${LOGICAL_CLUSTER}`, MASTERS)).text).metadata.uid;
    };
    expect(await uidAfter('restart')).toBe(uid);
    expect(await uidAfter('restart-empty')).not.toBe(uid);
  });
});
