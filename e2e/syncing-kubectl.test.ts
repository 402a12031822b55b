/** `kubectl` at the views of a SyncTarget: what people look with when a syncer does not do what it should. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { target } from './support/identities.ts';
import { describeWithPrograms, Kubectl } from './support/kubectl.ts';
import {
  type Consumer,
  createConsumer,
  createDeployment,
  createSyncedNamespace,
  deployment,
  setState,
  storedIn,
  syncingTest,
} from './support/syncing.ts';
import { configMap, configMapsIn, created, createReadySyncTarget, finalizerOf, labelOf } from './support/syncing-shown.ts';
import { type CreatedSyncTarget, type SyncerViews, viewsOf } from './support/syncing-targets.ts';

/** The cells of the lines of a table. */
const cellsOf = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => line.split(/ {2,}/).map(cell => cell.trim()));

describeWithPrograms('kubectl of a syncer', ['kubectl'], () => {
  const opened: Kubectl[] = [];
  let consumer: Consumer;
  let one: CreatedSyncTarget;
  let namespace: string;
  let views: SyncerViews;

  const kubectlAt = (client: Client): Kubectl => {
    const kubectl = new Kubectl(client);
    opened.push(kubectl);
    return kubectl;
  };
  /** In the logical cluster of the consumer. */
  const here = (view: keyof SyncerViews): Kubectl => kubectlAt(views[view].at(`/clusters/${consumer.cluster}`));
  const everywhere = (view: keyof SyncerViews): Kubectl => kubectlAt(views[view].at('/clusters/*'));
  const inNamespace = (...parameters: readonly string[]): string[] => [...parameters, '--namespace', namespace];
  const shownBy = async (kubectl: Kubectl, of: string): Promise<string> =>
    eventually(`${of} for kubectl`, () => kubectl.run(...inNamespace('get', of, '-o', 'wide')));

  beforeAll(async () => {
    [one, consumer] = await Promise.all([createReadySyncTarget(), createConsumer(target.shards.at(-1))]);
    views = await viewsOf(one, consumer.shard);
    namespace = await createSyncedNamespace(consumer, [one]);
  }, 180_000);

  afterAll(() => {
    for (const kubectl of opened) kubectl.remove();
  });

  syncingTest('gets and describes what is assigned, in the columns of the export', async () => {
    await createDeployment(consumer, namespace, deployment('web', 2));
    const kubectl = here('syncer');
    const [head, row] = cellsOf(await shownBy(kubectl, 'deployment/web'));
    expect(head).toEqual(['NAME', 'DESIRED', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE']);
    expect(row?.slice(0, 2)).toEqual(['web', '2']);
    const yaml = await kubectl.run(...inNamespace('get', 'deploy', 'web', '-o', 'yaml'));
    expect(yaml).toContain(`kcp.io/cluster: ${consumer.cluster}\n`);
    expect(yaml).not.toContain('diff.syncer.internal.kcp.io');
    expect(await kubectl.run(...inNamespace('get', 'deployments', '-o', 'name'))).toBe('deployment.apps/web\n');
    const described = await kubectl.run(...inNamespace('describe', 'deployment', 'web'));
    expect(described).toMatch(/^Name: +web$/m);
    expect(described).toContain('registry.k8s.io/pause:3.10');
    const all = cellsOf(await everywhere('syncer').run('get', 'deployments', '--all-namespaces'));
    expect(all.map(cells => cells.slice(0, 2))).toEqual([
      ['NAMESPACE', 'NAME'],
      [namespace, 'web'],
    ]);
  });

  syncingTest('takes an object and tells of its status', async () => {
    const path = await createDeployment(consumer, namespace, deployment('patched', 2));
    const kubectl = here('syncer');
    await shownBy(kubectl, 'deployment/patched');
    const patch = (type: string, value: unknown, ...parameters: readonly string[]): Promise<string> =>
      kubectl.run(...inNamespace('patch', 'deployment', 'patched', `--type=${type}`, '-p', JSON.stringify(value), ...parameters));
    await patch('merge', { metadata: { finalizers: [finalizerOf(one)] } });
    expect(await patch('merge', { status: { replicas: 2, readyReplicas: 1 } }, '--subresource=status')).toBe(
      'deployment.apps/patched patched\n',
    );
    await patch('json', [{ op: 'replace', path: '/status/readyReplicas', value: 2 }], '--subresource=status');
    const [, row] = cellsOf(await kubectl.run(...inNamespace('get', 'deployment', 'patched')));
    expect(row?.slice(0, 3)).toEqual(['patched', '2', '2']);
    expect(await storedIn(consumer, path)).toMatchObject({ status: { replicas: 2, readyReplicas: 2 } });
    const status = await kubectl.run(...inNamespace('get', 'deployment', 'patched', '--subresource=status', '-o', 'json'));
    expect(JSON.parse(status)).toMatchObject({ status: { readyReplicas: 2 } });
    // By which the namespace would be held when the workspace goes.
    (await consumer.owner.delete(path)).expect(200);
    await eventually('the deletion', () => patch('merge', { metadata: { finalizers: null } }));
    const gone = await kubectl.attempt(...inNamespace('get', 'deployment', 'patched'));
    expect(gone.stderr).toBe('Error from server (NotFound): deployments.apps "patched" not found\n');
  });

  syncingTest('patches what is built in as Kubernetes does', async () => {
    const path = await created(consumer, configMapsIn(namespace), configMap('settings'));
    const kubectl = here('syncer');
    await shownBy(kubectl, 'configmap/settings');
    const finalizers = JSON.stringify({ metadata: { finalizers: [finalizerOf(one)] } });
    await kubectl.run(...inNamespace('patch', 'configmap', 'settings', '--type=strategic', '-p', finalizers));
    expect((await storedIn(consumer, path)).metadata?.finalizers).toEqual([finalizerOf(one)]);
    // Events are nothing that is synced, and of what is built in kubectl insists on them.
    const described = await kubectl.run(...inNamespace('describe', 'cm', 'settings', '--show-events=false'));
    expect(described).toMatch(/^Name: +settings$/m);
    (await consumer.owner.delete(path)).expect(200);
    await eventually('the end', () =>
      kubectl.run(...inNamespace('patch', 'cm', 'settings', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')),
    );
  });

  syncingTest('watches what comes and goes', async () => {
    const inOne = here('syncer').start(inNamespace('get', 'configmaps', '--watch', '--output-watch-events'));
    const inAll = everywhere('syncer').start(['get', 'configmaps', '--all-namespaces', '--watch', '--output-watch-events']);
    const path = await created(consumer, configMapsIn(namespace), configMap('watched'));
    for (const watching of [inOne, inAll]) await watching.until('watched');
    await setState(consumer, path, [one], '');
    for (const watching of [inOne, inAll]) await watching.until('DELETED');
    for (const watching of [inOne, inAll]) {
      watching.kill();
      expect(watching.stdout).toMatch(/^ADDED .*watched/m);
      expect(watching.stdout).toMatch(/^DELETED .*watched/m);
    }
  });

  syncingTest('is told what a syncer may not do', async () => {
    const path = await created(consumer, configMapsIn(namespace), configMap('kept'));
    const kubectl = here('syncer');
    await shownBy(kubectl, 'configmap/kept');
    const refused = async (...parameters: readonly string[]): Promise<string> => {
      const { code, stderr } = await kubectl.attempt(...inNamespace(...parameters));
      expect(code).toBe(1);
      return stderr;
    };
    expect(await refused('delete', 'configmap', 'kept')).toContain('(MethodNotAllowed)');
    const file = kubectl.file('made.json', { ...configMap('made'), apiVersion: 'v1', kind: 'ConfigMap' });
    expect(await refused('create', '-f', file)).toContain('(MethodNotAllowed)');
    expect(await refused('get', 'pods')).toContain('the server doesn\'t have a resource type "pods"');
    expect((await storedIn(consumer, path)).metadata?.deletionTimestamp).toBeUndefined();
    const resources = await kubectl.run('api-resources', '--no-headers', '-o', 'name');
    expect(resources.split('\n')).toEqual(
      expect.arrayContaining(['configmaps', 'deployments.apps', 'namespaces', 'secrets', 'serviceaccounts']),
    );
  });

  syncingTest('creates, tells of and deletes pods that a cluster has made', async () => {
    const pod: KubeObject & { spec: unknown } = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', labels: { [labelOf(one)]: 'Upsync' } } },
      spec: { containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10' }] },
    };
    const kubectl = here('upsyncer');
    const file = kubectl.file('pod.json', pod);
    const said = await eventually('creation of the pod', () => kubectl.run(...inNamespace('create', '-f', file)));
    expect(said).toBe('pod/web-1 created\n');
    const watching = everywhere('upsyncer').start(['get', 'pods', '--all-namespaces', '--watch']);
    await watching.until('web-1');
    const status = JSON.stringify({ status: { phase: 'Running' } });
    await kubectl.run(...inNamespace('patch', 'pod', 'web-1', '--type=merge', '-p', status, '--subresource=status'));
    await watching.until('Running');
    watching.kill();
    await kubectl.run(...inNamespace('annotate', 'pod', 'web-1', 'seen=yes'));
    const stored = await storedIn(consumer, `/api/v1/namespaces/${namespace}/pods/web-1`);
    expect(stored).toMatchObject({ metadata: { annotations: { seen: 'yes' } }, status: { phase: 'Running' } });
    expect(await kubectl.run(...inNamespace('describe', 'pod', 'web-1'))).toMatch(/^Name: +web-1$/m);
    const unlabelled = await kubectl.attempt(...inNamespace('label', 'pod', 'web-1', `${labelOf(one)}-`));
    expect(unlabelled.stderr).toContain('(BadRequest)');
    expect(await kubectl.run(...inNamespace('delete', 'pod', 'web-1'))).toContain('deleted');
    expect(await kubectl.run(...inNamespace('get', 'pods', '-o', 'name'))).toBe('');
  });
});
