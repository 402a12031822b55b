import { beforeAll, describe, expect, test } from '@jest/globals';
import { admin, anonymous, atVirtualWorkspaces, masters } from './support/identities.ts';
import type { List, LogicalCluster, Status } from './support/kube.ts';
import { lifecycles } from './support/lifecycle.ts';
import { Scenario } from './support/scenario.ts';
import { deviationTest } from './support/suite.ts';
import { clustersIn } from './support/views.ts';
import { LOGICAL_CLUSTERS } from './support/workspaces.ts';

describe.each(lifecycles)('a path of $view', lifecycle => {
  let scenario: Scenario;

  function raw(rest: string): string {
    return `/services/${lifecycle.view}/${rest}`;
  }

  beforeAll(async () => {
    scenario = await Scenario.create(lifecycle);
  });

  test('may escape the colon of the name', async () => {
    const escaped = scenario.name.replace(':', '%3A');
    const reply = await atVirtualWorkspaces(admin).get(raw(`${escaped}/clusters/*${LOGICAL_CLUSTERS}`));
    expect(clustersIn(reply.expect(200).json<List<LogicalCluster>>())).toEqual([scenario.cluster]);
    (await atVirtualWorkspaces(admin).get(raw(`${escaped}/clusters/%2A${LOGICAL_CLUSTERS}`))).expect(200);
  });

  test('that leads to no view is 403 for everyone, and 404 for masters', async () => {
    const { name, type } = scenario;
    const nowhere = ['', name, `${name}/api`, `${name}/clusters`, `${name}/clusters/${type.parent}/api`];
    for (const rest of nowhere) {
      for (const credentials of [admin, anonymous]) {
        const status = (await atVirtualWorkspaces(credentials).get(raw(rest))).expect(403).json<Status>();
        expect(status).toMatchObject({
          kind: 'Status',
          reason: 'Forbidden',
          message: expect.stringContaining('Path not resolved to a valid virtual workspace'),
        });
      }
      (await atVirtualWorkspaces(masters).get(raw(rest))).expect(404);
    }
  });

  // kcp's Go server decodes the path before it takes it apart, and forwards dots as they are.
  const bent: [string, (cluster: string, name: string) => string][] = [
    ['a step upwards', (cluster, name) => `${name}/clusters/${cluster}/../root/api/v1/namespaces`],
    ['a step upwards, escaped', (cluster, name) => `${name}/clusters/${cluster}/%2e%2e/root/api/v1/namespaces`],
    ['a step upwards at the end', (cluster, name) => `${name}/clusters/${cluster}/api/..`],
    ['a step on the spot', (cluster, name) => `${name}/clusters/${cluster}/./api/v1/namespaces`],
    ['an escaped slash in the name', (cluster, name) => `${name}%2Fclusters%2F${cluster}/api/v1/namespaces`],
    ['an escaped slash in the cluster', (cluster, name) => `${name}/clusters/${cluster}%2Fapi/v1/namespaces`],
    ['an empty name', () => '/clusters/*/api'],
    ['an escaped backslash', (cluster, name) => `${name}/clusters/${cluster}/..%5Croot/api/v1/namespaces`],
    ['an escaped NUL', (cluster, name) => `${name}/clusters/${cluster}/api/v1/namespaces%00`],
    ['an empty segment', (cluster, name) => `${name}/clusters/${cluster}//api/v1/namespaces`],
    ['an escape that is none', (cluster, name) => `${name}/clusters/${cluster}/api/v1/namespaces/%zz`],
    ['an escaped percent sign', (cluster, name) => `${name}/clusters/${cluster}/%252e%252e/root/api/v1/namespaces`],
  ];

  deviationTest.each(bent)('with %s is refused and reaches no workspace', async (_, path) => {
    for (const credentials of [admin, masters]) {
      const reply = await atVirtualWorkspaces(credentials).get(raw(path(scenario.cluster, scenario.name)));
      reply.expect(400, 403, 404);
      expect(reply.headers.location).toBeUndefined();
    }
  });

  test('never leads into another workspace, however it is bent', async () => {
    for (const [, path] of bent) {
      const reply = await atVirtualWorkspaces(admin).get(raw(path('nosuchcluster', scenario.name)));
      expect(reply.status).not.toBe(200);
    }
  });

  // kcp's Go server answers 500 to the first in both lifecycles and serves discovery for the second in one of them.
  deviationTest('with an empty cluster leads nowhere', async () => {
    (await atVirtualWorkspaces(admin).get(raw(`${scenario.name}/clusters/`))).expect(404);
    (await atVirtualWorkspaces(admin).get(raw(`${scenario.name}/clusters//api/v1/namespaces`))).expect(400, 403, 404);
  });
});

describe('the server itself', () => {
  test('says that it is ready, alive and healthy', async () => {
    for (const path of ['/readyz', '/livez', '/healthz']) {
      expect((await atVirtualWorkspaces(masters).get(path)).expect(200).text).toBe('ok');
      (await atVirtualWorkspaces(anonymous).get(path)).expect(200);
    }
  });

  test('says with ?verbose what its readiness consists of', async () => {
    const { text } = (await atVirtualWorkspaces(masters).get('/readyz?verbose')).expect(200);
    expect(text).toMatch(/^(\[\+\]\S+ ok\n)+readyz check passed\n$/);
    for (const { view } of lifecycles) {
      for (const part of ['wildcard-logicalclusters', 'logicalclusters', 'workspace-content']) {
        expect(text).toContain(`[+]${view}-${part} ok`);
      }
    }
  });
});
