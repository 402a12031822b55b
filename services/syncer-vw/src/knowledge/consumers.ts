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
  stop(): void;
}

export interface ConsumersOptions extends FollowingTiming {
  readonly exports: Pick<Exports, 'compute' | 'missing' | 'onChange'>;
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

/** The compute export, while it is the same one. */
interface Provided {
  readonly id: ExportId;
  readonly bound: BoundClusters;
  /** By the base of the shard. */
  readonly collections: Map<string, FollowedCollection<ListedBinding>>;
}

/** Follows the bindings of the compute export, through itself. */
export function createConsumers(options: ConsumersOptions): FollowedConsumers {
  const { exports, shards, connections, log, observe, ...rest } = options;
  const { bases, ...timing } = rest;
  const listeners = createListeners<void>(err => log.warn({ err }, 'a listener to consumers failed'));
  let provided: Provided | undefined;
  let isChanged = false;

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
      ...{ ...timing, log, mayBeAbsent: true, name: `apibindings of ${id.cluster}/${id.name}`, project: bindingOf(id) },
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

  /** An export that is not known for a moment has the consumers that it had. */
  function current(): Provided | undefined {
    const compute = exports.compute();
    if (compute === undefined || (provided?.id.cluster === compute.cluster && provided.id.name === compute.name)) return provided;
    for (const [base, collection] of provided?.collections ?? []) if (provided) end(provided, base, collection);
    return { id: { cluster: compute.cluster, name: compute.name }, bound: countBound(), collections: new Map() };
  }

  function plan(): void {
    provided = current();
    const at = new Set(bases());
    for (const [base, collection] of provided?.collections ?? []) if (provided && !at.has(base)) end(provided, base, collection);
    for (const base of at) {
      if (provided && !provided.collections.has(base)) provided.collections.set(base, follow(provided, base));
    }
    tell();
  }

  const all = (): readonly FollowedCollection<ListedBinding>[] => [...(provided?.collections.values() ?? [])];
  const stops = [exports.onChange(plan), shards.onChange(plan)];
  plan();
  observe?.('apibindings', () => observed(all()));

  return {
    letsIn: (cluster, provider) => provided?.id.cluster === provider && provided.bound.clusters.has(cluster),
    missing() {
      const unknown = exports.missing();
      if (unknown !== undefined) return unknown;
      if ([...bases()].length === 0) return 'where the shard is whose bindings are looked for';
      // That it is forbidden is a fault of the installation, and nobody would seem to have bound it.
      const isUnread = all().some(one => !isSettled(one) || (one.standing === 'forbidden' && one.list().length === 0));
      return isUnread ? `the bindings of ${provided?.id.name}` : undefined;
    },
    missingOf(provider) {
      if (provided === undefined) return 'the compute export';
      if (provided.id.cluster !== provider) return undefined;
      const troubled = all().find(collection => !isCertain(collection));
      return troubled && `the bindings of ${provided.id.name} (${troubled.standing})`;
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
