/**
 * `--impersonate-reads` decides as whom some reads go upstream. It must not change an answer by a byte: what the caller may see has
 * been decided before. A second instance with the flag stands beside the first, and both are asked the same.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, type Credentials } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { admin, anonymous, atVirtualWorkspaces, masters, target, user } from '../support/identities.ts';
import { type Lifecycle, lifecycles } from '../support/lifecycle.ts';
import { Scenario } from '../support/scenario.ts';
import { admit, grant } from '../support/workspaces.ts';

/** The second instance stands a hundred ports beside the first. */
const portOf = (url: string): number => Number(new URL(url).port);
const PORT = portOf(target.virtualWorkspaceURL);
const OTHER_PORT = PORT + 100;
// Without ops servers there is no second instance either.
const OTHER_OPS_PORT = portOf(target.ops?.['front-proxy'] ?? target.virtualWorkspaceURL) + 100;
const OWN_ADDRESSES = new RegExp(`127\\.0\\.0\\.1:(${PORT}|${OTHER_PORT})`, 'g');
const allowed = user(1);
const denied = user(2);

/** How the instance under test was started; none for an implementation that is not ours. */
const command = target.command ?? [];
const describeOurs = command.length > 0 ? describe : describe.skip;

/** Parameters that two instances on one machine cannot share, with a value of their own or after them. */
const OWN_PARAMETERS = ['--secure-port', '--ops-port', '--audit-log-path'];

function startOther(): ChildProcess {
  const [executable = '', ...parameters] = command;
  const isOwn = (parameter: string | undefined): boolean => OWN_PARAMETERS.includes(parameter?.split('=')[0] ?? '');
  const isOwnValue = (i: number): boolean => isOwn(parameters[i - 1]) && !parameters[i - 1]?.includes('=');
  const kept = parameters.filter((parameter, i) => !isOwn(parameter) && !isOwnValue(i));
  const own = [`--secure-port=${OTHER_PORT}`, `--ops-port=${OTHER_OPS_PORT}`, '--impersonate-reads'];
  return spawn(executable, [...kept, ...own], { stdio: ['ignore', 'ignore', 'inherit'] });
}

const atOther = (credentials: Credentials): Client =>
  new Client(`https://127.0.0.1:${OTHER_PORT}`, target.servingAuthority, credentials);

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

/** The name that a request of its own gives an answer, and the time. The address that discovery tells is the instance's own. */
const OWN_HEADERS = ['date', 'audit-id', 'connection', 'keep-alive', 'etag', 'content-length'];
const comparable = async (client: Client, path: string, accept: string) => {
  const { status, headers, text } = await client.get(path, { Accept: accept });
  const shared = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name));
  return { status, headers: Object.fromEntries(shared), text: text.replaceAll(OWN_ADDRESSES, 'address') };
};

describeOurs('reads with and without impersonation', () => {
  let other: ChildProcess;
  beforeAll(async () => {
    other = startOther();
    await eventually('readiness of the second instance', async () => (await atOther(anonymous).get('/readyz')).expect(200));
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
            const first = await comparable(atVirtualWorkspaces(credentials), prefix + path, accept);
            const second = await comparable(atOther(credentials), prefix + path, accept);
            expect(second).toEqual(first);
            statuses.add(first.status);
          });
        }
      }
    }
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403, 404, 405]));
  });
});
