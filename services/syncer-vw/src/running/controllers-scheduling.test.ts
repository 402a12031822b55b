import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { SyncTarget } from '../controllers/sync-target.ts';
import type { KnownSyncTarget } from '../knowledge/knowledge.ts';
import { ACCEPTED, COMPUTE, COMPUTE_EXPORT, CONSUMER, DEPLOYMENTS, TARGETS, urlOf, World } from './controllers.fixture.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.stop());

const label = (name: string): string => `state.workload.kcp.io/${world.key(name)}`;
const finalizer = (name: string): string => `workload.kcp.io/syncer-${world.key(name)}`;
const deletion = (name: string): string => `deletion.internal.workload.kcp.io/${world.key(name)}`;
const statesOf = (object: KubeObject | undefined) => world.statesOf(object);
const namespace = (name = 'default', cluster = CONSUMER) => world.server.get('/namespaces', cluster, name);
const syncTarget = () => world.server.get(TARGETS, COMPUTE, 'west') as SyncTarget | undefined;
const deployment = (name = 'web') => world.server.get(DEPLOYMENTS, CONSUMER, name, 'default');
const texts = (): string[] => world.logged.lines.map(({ text }) => text);
describe('a namespace', () => {
  test('goes to a target, and its objects with it: deployments with their share, others at once', async () => {
    world.target('west');
    world.namespace('default');
    world.deployment('web', 3);
    world.server.put('/configmaps', CONSUMER, { metadata: { name: 'kube-root-ca.crt', namespace: 'default' } });
    world.start();
    await world.pass(1_000);
    expect(statesOf(namespace())).toEqual({ west: 'Sync' });
    expect(statesOf(deployment())).toEqual({ west: 'Sync' });
    expect(statesOf(world.server.get('/configmaps', CONSUMER, 'kube-root-ca.crt', 'default'))).toEqual({ west: 'Sync' });
    expect(deployment()?.metadata?.annotations?.[`experimental.spec-diff.workload.kcp.io/${world.key('west')}`]).toContain('3');
  });

  test('is not looked at again for a SyncTarget that has nothing to do with it, whatever its owner does with that', async () => {
    world.target('west');
    for (let count = 0; count < 20; count++) world.namespace(`team-${count}`);
    world.start();
    await world.pass(1_000);
    const turns = () => world.controllers?.stats().scheduler?.turns ?? 0;
    const before = turns();
    for (let count = 0; count < 5; count++) {
      const metadata = { name: 'own', uid: 'own', labels: { count: `${count}` }, annotations: { 'kcp.io/cluster': 'stranger' } };
      world.targets.put({ metadata } as SyncTarget);
      await world.clock.advance(1_000);
    }
    world.targets.remove(world.targets.get('stranger', 'own') as KnownSyncTarget);
    await world.clock.advance(1_000);
    expect(turns()).toBe(before);
  });

  // A server of virtual workspaces says so for a moment while it starts, of one collection earlier than of the other.
  test('that nobody knows of together with all others for a moment takes nothing off its targets', async () => {
    world.target('west');
    world.namespace('default');
    world.deployment('web', 3);
    world.start();
    await world.pass(1_000);
    const isOfNamespaces = (path: string): boolean => /\/namespaces(\?|$)/.test(path);
    world.server.refuse = ({ path }) => (isOfNamespaces(path) ? { status: 404, body: { code: 404 } } : undefined);
    world.server.endStreams();
    await world.pass(3_000);
    expect(deployment()?.metadata?.annotations?.[deletion('west')]).toBeUndefined();
    expect(statesOf(deployment())).toEqual({ west: 'Sync' });
    world.server.refuse = () => undefined;
    await world.pass(20_000);
    expect(deployment()?.metadata?.annotations?.[deletion('west')]).toBeUndefined();
  });

  test('of Kubernetes itself goes nowhere', async () => {
    world.target('west');
    world.namespace('kube-system');
    world.server.put('/secrets', CONSUMER, { metadata: { name: 's', namespace: 'kube-system' } });
    world.start();
    await world.rest();
    expect(statesOf(namespace('kube-system'))).toEqual({});
    expect(statesOf(world.server.get('/secrets', CONSUMER, 's', 'kube-system'))).toEqual({});
  });

  test('of a logical cluster that has not let the target in goes nowhere', async () => {
    world.target('west');
    world.namespace('default', {}, 'stranger');
    world.start();
    await world.pass(1_000);
    expect(statesOf(namespace('default', 'stranger'))).toEqual({});
    world.consumers.bindings.add(`stranger ${COMPUTE}`);
    world.consumers.changed();
    await world.pass(1_000);
    expect(statesOf(namespace('default', 'stranger'))).toEqual({ west: 'Sync' });
  });

  test('stays on a target as long as it is not known that its logical cluster has shut that out', async () => {
    world.target('west');
    world.namespace('default');
    world.start();
    await world.pass(1_000);
    world.consumers.unknown = 'a shard is away';
    world.consumers.bindings.clear();
    world.consumers.changed();
    world.namespace('new');
    await world.pass(1_000);
    expect(namespace()?.metadata?.annotations?.[deletion('west')]).toBeUndefined();
    expect(statesOf(namespace('new'))).toEqual({});
    world.consumers.unknown = undefined;
    world.consumers.changed();
    await world.pass(10_000);
    expect(statesOf(namespace())).toEqual({});
  });

  test('goes where its selector says, to as many targets as it says', async () => {
    world.target('west', {}, { region: 'us' });
    world.target('east', {}, { region: 'eu' });
    world.namespace('default', { 'placement.workload.kcp.io/selector': 'region=eu' });
    world.namespace('both', { 'placement.workload.kcp.io/spread': '2' });
    world.start();
    await world.pass(1_000);
    expect(statesOf(namespace())).toEqual({ east: 'Sync' });
    expect(statesOf(namespace('both'))).toEqual({ east: 'Sync', west: 'Sync' });
  });

  test('stays where it is when its selector is none, which is said once', async () => {
    world.target('west');
    world.namespace('default');
    world.start();
    await world.pass(1_000);
    world.namespace('default', { 'placement.workload.kcp.io/selector': 'a in (' });
    world.target('east');
    await world.pass(30_000);
    expect(statesOf(namespace())).toEqual({ west: 'Sync' });
    expect(texts().filter(text => text === 'the namespace stays where it is')).toHaveLength(1);
  });

  test('stays on a target that is not known as long as not all are', async () => {
    world.targets.isComplete = false;
    world.namespace('default');
    world.deployment('web', 3);
    world.mark('/namespaces', 'default', '', { labels: { [label('west')]: 'Sync' } });
    world.mark(DEPLOYMENTS, 'web', 'default', { labels: { [label('west')]: 'Sync' }, finalizers: [finalizer('west')] });
    world.target('east');
    world.start();
    await world.pass(20_000);
    expect(statesOf(namespace())).toEqual({ west: 'Sync' });
    expect(namespace()?.metadata?.annotations?.[deletion('west')]).toBeUndefined();
    expect(deployment()?.metadata?.finalizers).toEqual([finalizer('west')]);
    world.targets.isComplete = true;
    await world.pass(20_000);
    expect(statesOf(namespace())).toEqual({ east: 'Sync' });
    expect(statesOf(deployment())).toEqual({ east: 'Sync' });
    expect(deployment()?.metadata?.finalizers).toEqual([finalizer('east')]);
  });
});

describe('an object', () => {
  test('waits until its target accepts its resource', async () => {
    world.target('west');
    const resources = ACCEPTED.map(one => ({ ...one, state: 'Pending' }));
    world.server.put(TARGETS, COMPUTE, { ...syncTarget(), status: { ...syncTarget()?.status, syncedResources: resources } });
    world.namespace('default');
    world.deployment('web', 3);
    world.start();
    await world.pass(1_000);
    expect(statesOf(namespace())).toEqual({ west: 'Sync' });
    expect(statesOf(deployment())).toEqual({});
    world.server.put(TARGETS, COMPUTE, { ...syncTarget(), status: { ...syncTarget()?.status, syncedResources: ACCEPTED } });
    await world.pass(1_000);
    expect(statesOf(deployment())).toEqual({ west: 'Sync' });
  });

  test('that a target has made goes with its target, the finalizer of its syncer first', async () => {
    world.target('west');
    world.target('east');
    world.namespace('default');
    const pod = (name: string, of: string) =>
      world.server.put('/pods', CONSUMER, {
        metadata: { name, namespace: 'default', labels: { [label(of)]: 'Upsync' }, finalizers: [finalizer(of)] },
      });
    pod('a', 'west');
    pod('b', 'east');
    world.start();
    await world.pass(1_000);
    expect(world.server.list('/pods')).toHaveLength(2);
    world.removeTarget('west');
    await world.pass(2_000);
    expect(world.server.list('/pods').map(({ metadata }) => metadata?.name)).toEqual(['b']);
  });

  test('keeps the finalizer of a syncer whose target is not known until all targets are, and loses it then', async () => {
    world.targets.isComplete = false;
    world.namespace('default');
    world.mark('/namespaces', 'default', '', { finalizers: [finalizer('west')] });
    world.mark('/secrets', 's', 'default', { finalizers: ['example.dev/a', finalizer('west')] });
    world.start();
    await world.pass(20_000);
    const secret = () => world.server.get('/secrets', CONSUMER, 's', 'default')?.metadata?.finalizers;
    expect(secret()).toEqual(['example.dev/a', finalizer('west')]);
    expect(namespace()?.metadata?.finalizers).toEqual([finalizer('west')]);
    world.targets.isComplete = true;
    await world.pass(10_000);
    expect(secret()).toEqual(['example.dev/a']);
    expect(namespace()?.metadata?.finalizers).toEqual([]);
  });

  test('that comes into a namespace which is being deleted goes nowhere', async () => {
    world.target('west');
    world.namespace('default');
    world.mark('/namespaces', 'default', '', { finalizers: ['kubernetes'] });
    world.start();
    await world.pass(1_000);
    expect(statesOf(namespace())).toEqual({ west: 'Sync' });
    world.server.remove('/namespaces', CONSUMER, 'default');
    await world.rest();
    world.server.put('/secrets', CONSUMER, { metadata: { name: 's', namespace: 'default' } });
    await world.pass(1_000);
    expect(statesOf(world.server.get('/secrets', CONSUMER, 's', 'default'))).toEqual({});
  });

  test('that only says so is not deleted', async () => {
    world.target('west');
    world.namespace('default');
    world.start();
    await world.rest();
    world.server.put('/secrets', CONSUMER, {
      metadata: { name: 's', namespace: 'default', labels: { [label('gone')]: 'Upsync' } },
    });
    await world.pass(20_000);
    expect(world.server.list('/secrets')).toHaveLength(1);
    expect(world.server.writes.filter(write => write.startsWith('DELETE'))).toEqual([]);
  });

  test('without a namespace is a volume, which is pending on the targets of its logical cluster', async () => {
    world.target('west');
    world.server.put('/persistentvolumes', CONSUMER, { metadata: { name: 'disk' } });
    world.namespace('default');
    world.start();
    await world.pass(1_000);
    expect(statesOf(world.server.get('/persistentvolumes', CONSUMER, 'disk'))).toEqual({ west: '' });
  });

  test('of an export that nobody on the shard has bound is none, and what was there is forgotten', async () => {
    world.target('west');
    world.namespace('default');
    world.start();
    await world.rest();
    world.server.absent.add(urlOf(COMPUTE_EXPORT));
    world.server.endStreams();
    await world.pass(30_000);
    world.server.writes.length = 0;
    world.target('west', { unschedulable: true, evictAfter: '2020-01-01T00:00:00Z' });
    await world.pass(10_000);
    expect(world.server.writes.filter(write => write.includes('/namespaces/default'))).toEqual([]);
    expect(world.logged.lines.filter(({ fields }) => 'err' in fields)).toEqual([]);
    world.server.absent.clear();
    await world.pass(30_000);
    expect(statesOf(namespace())).toEqual({});
  });
});
