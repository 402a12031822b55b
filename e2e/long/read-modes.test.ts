/**
 * `--impersonate-reads` decides as whom some reads go upstream. It must not change an answer by a byte: what the caller may see has
 * been decided before. A second instance with the flag stands beside the first, and both are asked the same.
 */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { admin, anonymous, atVirtualWorkspaces, masters, user } from '../support/identities.ts';
import { type Lifecycle, lifecycles } from '../support/lifecycle.ts';
import { Scenario } from '../support/scenario.ts';
import { atSecond, canStartSecond, comparable, startSecond } from '../support/second-instance.ts';
import { admit, grant } from '../support/workspaces.ts';

const allowed = user(1);
const denied = user(2);

const describeOurs = canStartSecond ? describe : describe.skip;

const LOGICAL_CLUSTERS = '/apis/core.kcp.io/v1alpha1/logicalclusters';
const READS = (cluster: string): readonly string[] => [
  '/clusters/*/api',
  '/clusters/*/api/v1',
  '/clusters/*/apis',
  '/clusters/*/apis/core.kcp.io/v1alpha1',
  '/clusters/*/openapi/v3',
  '/clusters/*/version',
  `/clusters/*${LOGICAL_CLUSTERS}`,
  `/clusters/*${LOGICAL_CLUSTERS}?limit=1`,
  `/clusters/*${LOGICAL_CLUSTERS}?labelSelector=nobody%3Dhas`,
  `/clusters/*${LOGICAL_CLUSTERS}?labelSelector=%28`,
  `/clusters/*${LOGICAL_CLUSTERS}?fieldSelector=metadata.name%3Dcluster`,
  `/clusters/*${LOGICAL_CLUSTERS}/cluster`,
  '/clusters/*/api/v1/configmaps',
  `/clusters/${cluster}${LOGICAL_CLUSTERS}/cluster`,
  `/clusters/${cluster}${LOGICAL_CLUSTERS}/cluster/status`,
  `/clusters/${cluster}${LOGICAL_CLUSTERS}/other`,
  `/clusters/${cluster}${LOGICAL_CLUSTERS}`,
  `/clusters/${cluster}/api/v1/namespaces`,
  `/clusters/${cluster}/api/v1/namespaces/default/configmaps`,
  `/clusters/${cluster}/api/v1/namespaces/default/secrets/none`,
  `/clusters/${cluster}/apis`,
  '/clusters/nosuchcluster/api/v1/namespaces',
];
const ACCEPTS = ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'];

describeOurs('reads with and without impersonation', () => {
  let other: ChildProcess;
  beforeAll(async () => {
    other = await startSecond('--impersonate-reads');
  });
  afterAll(() => {
    other?.kill('SIGTERM');
  });

  const scenarios: readonly [string, Lifecycle, boolean][] = lifecycles.flatMap(lifecycle => [
    [`${lifecycle.view} as the owner`, lifecycle, false] as [string, Lifecycle, boolean],
    [`${lifecycle.view} with permissions`, lifecycle, true] as [string, Lifecycle, boolean],
  ]);

  test.each(scenarios)('are the same in %s, refusals included', async (_, lifecycle, withPermissions) => {
    const rules = [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['namespaces', 'configmaps'] },
      { verbs: ['get'], nonResourceURLs: ['/apis', '/api'] },
    ];
    const scenario = await Scenario.create(lifecycle, withPermissions ? lifecycle.withPermissions(rules) : undefined);
    await admit(scenario.type.parent, allowed.name);
    await grant(scenario.type, allowed.name, lifecycle.verb);
    const prefix = `/services/${lifecycle.view}/${scenario.name}`;
    await eventually('access of the allowed user', async () =>
      (await atVirtualWorkspaces(allowed).get(`${prefix}/clusters/*${LOGICAL_CLUSTERS}`)).expect(200),
    );

    const statuses = new Set<number>();
    for (const credentials of [masters, admin, allowed, denied, anonymous]) {
      for (const path of READS(scenario.cluster)) {
        for (const accept of ACCEPTS) {
          // Other tests' workspaces move the version of a list; a pair that was hit by that is asked again.
          await eventually(`the same answer to ${credentials.name} for ${path}`, async () => {
            const first = comparable(await atVirtualWorkspaces(credentials).get(prefix + path, { Accept: accept }));
            const second = comparable(await atSecond(credentials).get(prefix + path, { Accept: accept }));
            expect(second).toEqual(first);
            statuses.add(first.status);
          });
        }
      }
    }
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403, 404, 405]));
  });
});
