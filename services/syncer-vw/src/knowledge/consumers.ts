import type { InformerEvent } from '@kcp-vw/shared/informer/informer.ts';
import { CLUSTER_ANNOTATION, clusterOf, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { type BoundClusters, countBound } from './bound-clusters.ts';
import {
  type FollowedCollection,
  type FollowingTiming,
  followCollection,
  isCertain,
  isSettled,
  observed,
} from './followed-collection.ts';
import { type Connections, type Consumers, type Exports, exportUrl, type KnownExport, type Shards } from './knowledge.ts';
import { createListeners } from './listeners.ts';

export interface FollowedConsumers extends Consumers {
  /**
   * What keeps it from being known at this moment who has bound exports of a logical cluster; undefined: nothing. As long as there is something,
   * a logical cluster that is not found may have bound one.
   */
  missingOf(provider: string): string | undefined;
  stop(): void;
}

export interface ConsumersOptions extends FollowingTiming {
  readonly exports: Pick<Exports, 'list' | 'compute' | 'missing' | 'onChange'>;
  readonly shards: Pick<Shards, 'onChange'>;
  /** Where bindings are looked for: of the own shard for views, of all shards for controllers. None: it is not known yet. */
  readonly bases: () => Iterable<string>;
  readonly connections: Pick<Connections, 'at'>;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  readonly observe?: Metrics['observeInformer'];
}

const PATH = '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings';

/** What is kept of an APIBinding. */
interface ListedBinding extends KubeObject {
  /** It is Bound, and to the export through which it was read. */
  readonly isBound: boolean;
}

type ExportId = Pick<KnownExport, 'cluster' | 'name'>;

interface Provided {
  readonly id: ExportId;
  readonly bound: BoundClusters;
  /** By the base of the shard. */
  readonly collections: Map<string, FollowedCollection<ListedBinding>>;
}

const NOBODY: ReadonlySet<string> = new Set();
const keyOf = ({ cluster, name }: ExportId): string => `${cluster}/${name}`;

/** Follows the bindings of all known exports, through each of them. */
export function createConsumers(options: ConsumersOptions): FollowedConsumers {
  const { exports, shards, connections, log, observe, ...rest } = options;
  const { bases, ...timing } = rest;
  const provided = new Map<string, Provided>();
  const byProvider = new Map<string, Set<Provided>>();
  const listeners = createListeners<void>(err => log.warn({ err }, 'a listener to consumers failed'));
  let isChanged = false;
  let wasComplete = false;

  /** Once for all that a list has brought. */
  const tell = (): void => {
    if (!isChanged) return;
    isChanged = false;
    listeners.tell();
  };

  function count({ bound }: Provided, { type, object, previous }: InformerEvent<ListedBinding>): void {
    const before = type !== 'ADDED' && previous?.isBound === true;
    const after = type !== 'DELETED' && object.isBound;
    if (before !== after && bound.add(clusterOf(object), after ? 1 : -1)) isChanged = true;
  }

  function follow(one: Provided, base: string): FollowedCollection<ListedBinding> {
    const { id } = one;
    return followCollection<ListedBinding>({
      ...{ ...timing, log, mayBeAbsent: true, name: `apibindings of ${keyOf(id)}`, project: bindingOf(id) },
      ...{ upstream: connections.at(base, 'control'), path: `${exportUrl('', id)}${PATH}` },
      onEvent: event => count(one, event),
      onChange: tell,
    });
  }

  function end(one: Provided, base: string, collection: FollowedCollection<ListedBinding>): void {
    one.collections.delete(base);
    collection.stop();
    for (const object of collection.list()) count(one, { type: 'DELETED', object, previous: object });
  }

  function begin(id: ExportId): Provided {
    const one: Provided = { id: { cluster: id.cluster, name: id.name }, bound: countBound(), collections: new Map() };
    provided.set(keyOf(id), one);
    byProvider.set(id.cluster, (byProvider.get(id.cluster) ?? new Set()).add(one));
    return one;
  }

  function drop(one: Provided): void {
    for (const [base, collection] of one.collections) end(one, base, collection);
    provided.delete(keyOf(one.id));
    const others = byProvider.get(one.id.cluster);
    others?.delete(one);
    if (others?.size === 0) byProvider.delete(one.id.cluster);
  }

  function plan(): void {
    const wanted = new Map(exports.list().map(known => [keyOf(known), known]));
    const at = new Set(bases());
    for (const [key, one] of provided) if (!wanted.has(key)) drop(one);
    for (const [key, known] of wanted) {
      const one = provided.get(key) ?? begin(known);
      for (const [base, collection] of one.collections) if (!at.has(base)) end(one, base, collection);
      for (const base of at) if (!one.collections.has(base)) one.collections.set(base, follow(one, base));
    }
    tell();
  }

  const all = (): FollowedCollection<ListedBinding>[] => [...provided.values()].flatMap(one => [...one.collections.values()]);
  const stops = [exports.onChange(plan), shards.onChange(plan)];
  plan();
  observe?.('apibindings', () => observed(all()));

  return {
    binds: (cluster, provider) => [...(byProvider.get(provider) ?? [])].some(({ bound }) => bound.clusters.has(cluster)),
    of: exported => provided.get(keyOf(exported))?.bound.clusters ?? NOBODY,
    missing() {
      const unknown = exports.missing();
      if (unknown !== undefined) return unknown;
      if ([...bases()].length === 0) return 'where the shard is whose bindings are looked for';
      const compute = exports.compute();
      const collections = [...(provided.get(compute ? keyOf(compute) : '')?.collections.values() ?? [])];
      // That it is forbidden is a fault of the installation, and nobody would seem to have bound it.
      if (collections.some(one => !isSettled(one) || (one.standing === 'forbidden' && one.list().length === 0))) {
        return `the bindings of ${compute?.name}`;
      }
      if (wasComplete) return undefined;
      // Who makes a SyncTarget names any export: it is not waited for longer than until it was tried.
      const waiting = [...provided.values()].find(one => [...one.collections.values()].some(({ isTried }) => !isTried));
      if (waiting !== undefined) return `the bindings of ${keyOf(waiting.id)}`;
      wasComplete = true;
      return undefined;
    },
    missingOf(provider) {
      for (const one of byProvider.get(provider) ?? []) {
        const troubled = [...one.collections.values()].find(collection => !isCertain(collection));
        if (troubled !== undefined) return `the bindings of ${keyOf(one.id)} (${troubled.standing})`;
      }
      return undefined;
    },
    onChange: listeners.add,
    stop() {
      for (const stop of stops) stop();
      for (const collection of all()) collection.stop();
    },
  };
}

/** Through an export that claims bindings, those of other exports are seen as well. */
const bindingOf =
  (id: ExportId) =>
  (object: KubeObject): ListedBinding => {
    const { spec, status } = object as {
      readonly spec?: { readonly reference?: { readonly export?: { readonly name?: unknown } } };
      readonly status?: { readonly apiExportClusterName?: unknown; readonly phase?: unknown };
    };
    const { name, uid, resourceVersion } = object.metadata ?? {};
    return Object.freeze({
      metadata: {
        ...(name !== undefined && { name }),
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
        annotations: { [CLUSTER_ANNOTATION]: clusterOf(object) },
      },
      isBound:
        status?.phase === 'Bound' && status.apiExportClusterName === id.cluster && spec?.reference?.export?.name === id.name,
    });
  };
