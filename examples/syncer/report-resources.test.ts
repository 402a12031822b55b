import { describe, expect, test } from '@jest/globals';
import { applyJsonPatch, type Operation } from '@kcp-vw/shared/kube/json-patch.ts';
import type { SyncTarget } from '@kcp-vw/syncer-vw/controllers/sync-target.ts';
import type { ServedResource } from './discover.ts';
import { reportPatch, syncedResources, type Wanted } from './report-resources.ts';
import { CONFIG_MAPS, SECRETS } from './resources.ts';
import { listed } from './syncer.fixture.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const CORE = ['namespaces', 'configmaps', 'secrets'];

const served = (name: string, more: Partial<ServedResource> = {}): ServedResource => {
  const [resource = '', ...group] = name.split('.');
  return { group: group.join('.'), version: 'v1', resource, namespaced: true, authorized: true, ...more };
};
const withCore = (...others: readonly ServedResource[]): readonly ServedResource[] => [
  ...CORE.map(one => served(one)),
  ...others,
];

const target = (...resources: readonly ReturnType<typeof listed>[]): SyncTarget => ({
  metadata: { name: 'west', uid: 'u', resourceVersion: '7' },
  status: { syncedResources: resources },
});

function reported(before: SyncTarget, resources: readonly ServedResource[], wanted?: Wanted): SyncTarget {
  const patch = reportPatch(before, resources, wanted, NOW);
  return patch ? (applyJsonPatch(before, patch as readonly Operation[]) as SyncTarget) : before;
}
const statesOf = ({ status }: SyncTarget) => status?.syncedResources?.map(({ state }) => state);

describe('what a syncer says of a resource', () => {
  test.each([
    ['it is served', [served('deployments.apps')], undefined, 'Accepted'],
    ['it is not served', [], undefined, 'Incompatible'],
    ['one of this name is served in another group', [served('deployments.extensions')], undefined, 'Incompatible'],
    ['the syncer may not use it', [served('deployments.apps', { authorized: false })], undefined, 'Incompatible'],
    ['it is among those that are wanted', [served('deployments.apps')], new Set(['deployments.apps']), 'Accepted'],
    ['it is not among those that are wanted', [served('deployments.apps')], new Set(['services']), 'Incompatible'],
  ])('when %s', (_when, resources, wanted, state) => {
    expect(statesOf(reported(target(listed('apps', 'deployments')), withCore(...resources), wanted))).toEqual([state]);
  });

  test('changes when the cluster does', () => {
    expect(statesOf(reported(target(listed('apps', 'deployments', 'Accepted')), withCore()))).toEqual(['Incompatible']);
  });

  test('is said once', () => {
    const before = reported(target(listed('apps', 'deployments')), withCore(served('deployments.apps')));
    expect(reportPatch(before, withCore(served('deployments.apps')), undefined, NOW + 1000)).toBeUndefined();
  });

  test('is said only of the state of the list that it has read, of this SyncTarget', () => {
    const patch = reportPatch(target(listed('', 'services')), withCore(), undefined, NOW);
    expect(patch?.slice(0, 2)).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u' },
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ]);
  });

  test('leaves everything else of the status as it is', () => {
    const before = target(listed('', 'services', 'Accepted'), listed('apps', 'deployments'));
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: 'x' } as const;
    const after = reported({ ...before, status: { ...before.status, conditions: [ready] } }, withCore(served('services')));
    expect(after.status).toEqual({
      syncedResources: [listed('', 'services', 'Accepted'), { ...listed('apps', 'deployments'), state: 'Incompatible' }],
      conditions: [ready, { type: 'SyncerAuthorized', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    });
  });
});

test('a syncer says what it may not do', () => {
  const { status } = reported(target(), [...withCore(), served('pods', { authorized: false })]);
  expect(status?.conditions).toMatchObject([
    { type: 'SyncerAuthorized', status: 'False', message: 'The syncer may not do everything with pods in its cluster' },
  ]);
});

describe('what is synced', () => {
  const accepted = ['deployments.apps', 'pods', 'endpoints', 'nodes'];
  const all = target(
    listed('apps', 'deployments', 'Accepted'),
    listed('', 'pods', 'Accepted'),
    listed('', 'endpoints', 'Accepted'),
    listed('', 'nodes', 'Accepted'),
    listed('', 'persistentvolumes', 'Accepted'),
    listed('', 'services'),
  );
  const cluster = { namespaced: false };
  const resources = withCore(
    ...accepted.slice(0, 3).map(one => served(one)),
    served('nodes', cluster),
    served('persistentvolumes', cluster),
    served('services'),
  );

  test('is what is always synced, and what the SyncTarget has accepted, if it is in namespaces', () => {
    const { synced } = syncedResources(all, resources);
    expect(synced).toEqual([CONFIG_MAPS, SECRETS, { group: 'apps', version: 'v1', resource: 'deployments' }]);
  });

  test('from the cluster is pods and volumes, as far as they are accepted', () => {
    const names = ({ upsynced }: ReturnType<typeof syncedResources>) => upsynced.map(({ resource }) => resource);
    expect(names(syncedResources(all, resources))).toEqual(['pods', 'persistentvolumes']);
    expect(names(syncedResources(target(), resources))).toEqual([]);
  });

  test('is nothing that the syncer may not do in the cluster', () => {
    const { synced } = syncedResources(all, [served('configmaps', { authorized: false }), served('secrets')]);
    expect(synced).toEqual([SECRETS]);
  });
});
