import { createInformer, type Informer } from '@kcp-vw/shared/informer/informer.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import { type SyncTargetKey, stateLabel, UPSYNC } from '@kcp-vw/syncer-vw/transform/names.ts';
import { type Client, createClient } from './client.ts';
import { OWNER_LABEL } from './names.ts';
import { collectionPath, NAMESPACES, type Resource, textOf } from './resources.ts';

/** Objects of the physical cluster, by namespace and name: it may be a workspace, whose objects have a logical cluster besides. */
export interface DownstreamObjects extends Pick<Informer<KubeObject>, 'list' | 'onEvent' | 'whenSynced'> {
  find(namespace: string, name: string): KubeObject | undefined;
}

/** What is followed of a physical cluster. */
export interface Downstream {
  readonly client: Client;
  /** The namespaces of this SyncTarget, and others that somebody has labelled so. */
  readonly namespaces: DownstreamObjects;
  /** The copies of upstream objects. Followed from the first call on. */
  copies(resource: Resource): DownstreamObjects;
  /** What is to be copied upstream. Followed from the first call on. */
  upsynced(resource: Resource): DownstreamObjects;
  /** Ends what is followed of other resources than these. */
  retain(copies: readonly Resource[], upsynced: readonly Resource[]): void;
  stop(): void;
}

export interface DownstreamOptions {
  readonly upstream: Upstream;
  /** The path of the server's URL. */
  readonly base: string;
  readonly key: SyncTargetKey;
  readonly say: (text: string) => void;
}

const BY_NAME = 'name';

export function followDownstream({ upstream, base, key, say }: DownstreamOptions): Downstream {
  const path = base.replace(/\/+$/, '');
  const followed = new Map<string, { readonly objects: DownstreamObjects; stop(): void }>();

  function follow(resource: Resource, labelSelector: string): DownstreamObjects {
    const id = `${textOf(resource)} ${labelSelector}`;
    const known = followed.get(id);
    if (known) return known.objects;
    const informer = createInformer({
      name: `${textOf(resource)} downstream`,
      upstream,
      path: path + collectionPath(resource),
      labelSelector,
      indexes: { [BY_NAME]: ({ metadata }) => [inNamespace(metadata?.namespace ?? '', metadata?.name ?? '')] },
      onError: error => say(`downstream: ${error.message}`),
    });
    informer.start();
    const objects = Object.assign(informer, {
      find: (namespace: string, name: string) => informer.byIndex(BY_NAME, inNamespace(namespace, name))[0],
    });
    followed.set(id, { objects, stop: () => informer.stop() });
    return objects;
  }

  const ownedBy = `${OWNER_LABEL}=${key}`;
  const upsyncedBy = `${stateLabel(key)}=${UPSYNC}`;
  return {
    client: createClient(upstream, path),
    namespaces: follow(NAMESPACES, ownedBy),
    copies: resource => follow(resource, ownedBy),
    upsynced: resource => follow(resource, upsyncedBy),
    retain(copies, upsynced) {
      const kept = new Set([
        ...[NAMESPACES, ...copies].map(resource => `${textOf(resource)} ${ownedBy}`),
        ...upsynced.map(resource => `${textOf(resource)} ${upsyncedBy}`),
      ]);
      for (const [id, { stop }] of followed) {
        if (kept.has(id)) continue;
        stop();
        followed.delete(id);
      }
    },
    stop() {
      for (const { stop } of followed.values()) stop();
    },
  };
}

const inNamespace = (namespace: string, name: string): string => `${namespace}/${name}`;
