import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { Clock } from '@kcp-vw/shared/informer/clock.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import type { Target } from '@kcp-vw/shared/target/target.ts';
import type { Forward } from '@kcp-vw/shared/view/view.ts';
import type { ResourceDefinition, Write } from '../store/definition.ts';
import type { Registry } from '../store/registry.ts';
import type { Store } from '../store/store.ts';

/** A request that has been authenticated and authorized. */
export interface ApiRequest {
  /** The name of a logical cluster; `*` for all of them. */
  readonly cluster: string;
  /** The target below `/clusters/<cluster>`. */
  readonly rest: Target;
  /** `requestInfo(method, rest)`. */
  readonly request: RequestInfo;
  readonly user: Identity;
}

export interface ApiSettings {
  readonly clock: Clock;
  /** `host:port` that `/api` tells clients. */
  readonly serverAddress: string;
  /** Milliseconds between the bookmarks of a watch. */
  readonly bookmarkInterval: number;
  /** Comes after the admission of the resource itself, for objects of any kind. Must return a changed copy or the object itself. */
  readonly admit?: (definition: ResourceDefinition, object: KubeObject, write: Write) => KubeObject;
  /** Throws a StatusError 403 unless the caller may create the object that the path names: an apply may be a creation, too. */
  readonly authorizeCreate?: () => void;
  /** Ends watches early, cleanly: the shard shuts down. */
  readonly until?: NonNullable<Forward['until']>;
}

/** A request for a resource that the logical cluster serves. */
export interface ResourceCall extends ApiRequest {
  readonly exchange: Exchange;
  readonly store: Store;
  readonly registry: Registry;
  readonly settings: ApiSettings;
  readonly definition: ResourceDefinition;
  /** Under which the objects lie: the same, but for resources that share theirs with another. */
  readonly stored: ResourceDefinition;
  /** The apiVersion that the caller speaks. */
  readonly apiVersion: string;
  /** Of the path; empty for a cluster-scoped object and for all namespaces. */
  readonly namespace: string;
}
