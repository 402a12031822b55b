import type { Client } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import {
  type AcceptedClaim,
  accept,
  bindExport,
  type Claim,
  type CreatedExport,
  createExport,
  grantContent,
  grantRules,
  reject,
  updateExport,
  viewOfExport,
} from '../support/exports.ts';
import { target, user } from '../support/identities.ts';
import type { KubeObject, List } from '../support/kube.ts';
import { adminIn, createParent, uniqueSuffix } from '../support/workspaces.ts';
import { type Kind, kindOf, type Stored } from './oracle.ts';
import type { Claimable, Labels, Resource, Selector, World } from './world.ts';

/** Where objects are made, and asked for in one logical cluster; over all of them every namespace is. */
export const NAMESPACE = 'default';
const IN_NAMESPACE = `/namespaces/${NAMESPACE}`;
const KINDS: readonly Kind[] = ['0', '1', 'configmaps', 'secrets'];

/** A world as it stands on a server: where its exports and consumers are. */
export class BuiltWorld {
  readonly world: World;
  readonly #groups: readonly string[];
  readonly #exports: readonly CreatedExport[];
  readonly #consumers: readonly { readonly path: string; readonly cluster: string }[];

  private constructor(
    world: World,
    groups: readonly string[],
    exports: readonly CreatedExport[],
    consumers: readonly { readonly path: string; readonly cluster: string }[],
  ) {
    this.world = world;
    this.#groups = groups;
    this.#exports = exports;
    this.#consumers = consumers;
  }

  static async create(world: World): Promise<BuiltWorld> {
    const groups = world.exports.map((_, i) => `x${i}-${uniqueSuffix()}.dev`);
    const offered = await Promise.all(
      world.exports.map(async ({ policy }, i) =>
        // On another shard than the consumers, where there is one: what the view knows of it comes through the cache.
        createExport(await createParent(target.shards[i % target.shards.length]?.name), {
          resources: [{ group: groups[i] ?? '', plural: 'things', kind: 'Thing' }],
          maximalPermissionPolicy: policy !== undefined,
        }),
      ),
    );
    const claimOf = (exported: number, resource: Claimable): Claim => {
      const verbs = world.exports[exported]?.claims[resource]?.verbs ?? [];
      if (resource !== 'other') return { group: '', resource, verbs };
      const [group = '', owner] = [groups[1 - exported], offered[1 - exported]];
      return { group, resource: 'things', verbs, identityHash: owner?.identityHash ?? '' };
    };
    const claimed = (exported: number): Claimable[] => Object.keys(world.exports[exported]?.claims ?? {}) as Claimable[];

    await Promise.all(
      offered.map(async (exported, i) => {
        const permissionClaims = claimed(i).map(resource => claimOf(i, resource));
        await updateExport(exported, { spec: { permissionClaims } });
        await grantRules(exported.parent, { kind: 'Group', name: 'system:authenticated' }, [
          { verbs: ['access'], nonResourceURLs: ['/'] },
          { verbs: ['bind'], apiGroups: ['apis.kcp.io'], resources: ['apiexports'] },
        ]);
        const policyOf = (name: string, kind: 'User' | 'Group', verbs: readonly string[]) =>
          grantRules(exported.parent, { kind, name: `apis.kcp.io:binding:${name}` }, [
            { verbs, apiGroups: [groups[i]], resources: ['*'] },
          ]);
        // The shard's own check of the policy is not what is tested: whoever comes with a warrant passes it.
        await policyOf('system:kcp:admin', 'Group', ['*']);
        for (const [number, { content }] of world.callers.entries()) {
          const [name, policy, verbs] = [`user-${number + 1}`, world.exports[i]?.policy?.[number], content[i] ?? []];
          if (verbs.length > 0) await grantContent(exported, name, verbs);
          if (policy && policy.length > 0) await policyOf(name, 'User', policy);
        }
      }),
    );
    const consumers = await Promise.all(
      world.consumers.map(async ({ bindings }) => {
        const path = await createParent();
        for (const [i, decisions] of bindings.entries()) {
          const exported = offered[i];
          if (decisions === undefined || exported === undefined) continue;
          const answers = claimed(i).flatMap((resource): AcceptedClaim[] => {
            const decision = decisions[resource];
            if (decision === undefined) return [];
            const claim = { ...claimOf(i, resource), verbs: decision.verbs };
            return [decision.accepted ? accept(claim, decision.selector as Selector) : reject(claim)];
          });
          await bindExport(path, exported, answers);
        }
        const found = (await adminIn(path).get('/apis/core.kcp.io/v1alpha1/logicalclusters/cluster')).json<KubeObject>();
        return { path, cluster: found.metadata?.annotations?.['kcp.io/cluster'] ?? '' };
      }),
    );
    const built = new BuiltWorld(world, groups, offered, consumers);
    await Promise.all(world.consumers.map((_, consumer) => built.#fill(consumer)));
    return built;
  }

  async #fill(consumer: number): Promise<void> {
    const { bindings, objects } = this.world.consumers[consumer] ?? { bindings: [], objects: {} as Record<Kind, Labels[]> };
    for (const kind of KINDS) {
      if ((kind === '0' || kind === '1') && bindings[Number(kind)] === undefined) continue;
      const { path } = this.#place(consumer);
      const collection = adminIn(path).at(this.#collection(kind));
      for (const [i, labels] of objects[kind].entries()) {
        await eventually('an object', async () =>
          (await collection.post('', this.object(kind, `o${i}`, labels))).expect(201, 409),
        );
      }
    }
  }

  /** All objects of a kind that are in the workspaces, as their owner sees them. */
  async stored(kind: Kind): Promise<readonly Stored[]> {
    const found = await Promise.all(
      this.#consumers.map(async ({ path }, consumer) => {
        const reply = await adminIn(path).get(this.#collection(kind).replace(IN_NAMESPACE, ''));
        if (reply.status === 404) return [];
        return reply
          .expect(200)
          .json<List<KubeObject>>()
          .items.map(({ metadata }) => ({
            consumer,
            namespace: metadata?.namespace ?? '',
            name: metadata?.name ?? '',
            labels: Object.fromEntries(Object.entries(metadata?.labels ?? {}).filter(([key]) => !key.includes('/'))),
          }));
      }),
    );
    return found.flat();
  }

  /** As one of the callers, at one logical cluster or at all. */
  view(caller: number, exported: number, consumer?: number): Client {
    const cluster = consumer === undefined ? '*' : this.#place(consumer).cluster;
    const created = this.#exports[exported];
    if (created === undefined) throw new Error(`there is no export ${exported}`);
    return viewOfExport(created, user(caller === 0 ? 1 : 2)).at(`/clusters/${cluster}`);
  }

  /** Of a resource as an export has it: below a logical cluster, or over all of them. */
  path(exported: number, resource: Resource, consumer?: number): string {
    const path = this.#collection(kindOf(exported, resource));
    return consumer === undefined ? path.replace(IN_NAMESPACE, '') : path;
  }

  #collection(kind: Kind): string {
    if (kind === 'configmaps' || kind === 'secrets') return `/api/v1${IN_NAMESPACE}/${kind}`;
    return `/apis/${this.#groups[Number(kind)]}/v1${IN_NAMESPACE}/things`;
  }

  object(kind: Kind, name: string, labels: Labels): KubeObject {
    const metadata = { name, namespace: NAMESPACE, labels };
    if (kind === 'configmaps') return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    if (kind === 'secrets') return { apiVersion: 'v1', kind: 'Secret', metadata };
    return { apiVersion: `${this.#groups[Number(kind)]}/v1`, kind: 'Thing', metadata };
  }

  consumerOf(cluster: string): number {
    return this.#consumers.findIndex(one => one.cluster === cluster);
  }

  #place(consumer: number): { readonly path: string; readonly cluster: string } {
    const place = this.#consumers[consumer];
    if (place === undefined) throw new Error(`there is no consumer ${consumer}`);
    return place;
  }
}
