import type { Caller, Identity } from '../authn/identity.ts';
import type { ApiResource } from '../kube/discovery.ts';
import type { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Labels } from '../kube/selectors.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Collection } from './collection.ts';

/** The decoded parameters of a view's path: `/:team/clusters/:cluster` gives `{team, cluster}`. */
export type Scope = Readonly<Record<string, string>>;

/** One call, as a view sees it. Frozen; no sockets. */
export interface Call<S extends Scope = Scope> {
  readonly caller: Caller;
  readonly scope: S;
  /** Of the path below the view's prefix. */
  readonly request: RequestInfo;
  readonly query: URLSearchParams;
}

export type Decision =
  | { readonly allowed: true; readonly because: string }
  | {
      readonly allowed: false;
      readonly because: string;
      /** What the caller is told of it; absent: `because`. */
      readonly told?: string;
    };

/** Bytes pass untouched: a rewritten target, the identity to use upstream, a selector to push down. */
export interface Forward {
  readonly kind: 'forward';
  /** Logical cluster upstream: a name or `*`. Default: the scope's `cluster`. */
  readonly cluster?: string;
  /** Label requirements, ANDed to the caller's: `a=b,!c`. */
  readonly select?: string;
  /** Identity hash that follows the resource's name upstream: `cowboys` is asked for as `cowboys:<hash>`. */
  readonly identity?: string;
  /** Of a custom resource its kind: it takes no protobuf, and no strategic patches. Absent: what is built in. */
  readonly customKind?: string;
  /** What holds of single objects beyond what the shard decides. */
  readonly guard?: Guard;
  /** A list or watch of a resource that the shard does not serve yet (404) is empty until it does. */
  readonly emptyUntilServed?: EmptyUntilServed;
  /** Impersonated upstream; without it the request goes as the service itself. */
  readonly as?: Identity;
  /** For a long-running request: calls `end` when the access ends; returns how to stop listening. */
  readonly until?: (end: (reason: string) => void) => () => void;
  readonly because: string;
}

/** How a collection is shown that nobody serves yet. */
export interface EmptyUntilServed {
  /** Of one object. */
  readonly kind: string;
  /** A collection of the same shard that is always served there, as the shard's path: meanwhile its resourceVersion is that of this one. */
  readonly collection: string;
  /** Calls `look` when the shard may have begun to serve it, for which it is otherwise asked every second or two; returns how to stop. */
  readonly wake?: (look: () => void) => () => void;
}

/** Conditions on one object that are checked here, before the shard does what is asked. All are optional. */
export interface Guard {
  /** False: for the caller the stored object does not exist, whatever is asked of it. Reads nothing but metadata. */
  readonly visible?: (object: KubeObject) => boolean;
  /** Asked when a server-side apply would create its object; an error refuses that. */
  readonly mayCreate?: () => Promise<StatusError | undefined>;
  /** Sees the metadata of what a write would store, and of what is stored. Returns an error that refuses it, or what to do to it. */
  readonly admit?: (write: AdmittedWrite) => StatusError | Admitted | undefined;
}

export interface AdmittedWrite {
  readonly operation: 'create' | 'update' | 'delete';
  /** Absent for a create. */
  readonly stored?: KubeObject;
  /** Absent for a delete. Of a body in protobuf its metadata. */
  readonly proposed?: KubeObject;
}

export interface Admitted {
  /** Put on the object beside its own. */
  readonly labels: Labels;
}

/** As forward, with a function per object, applied to get, list items, table rows, watch events and results of writes alike. */
export interface Transform extends Omit<Forward, 'kind' | 'guard' | 'emptyUntilServed'> {
  readonly kind: 'transform';
  /** The object as the caller sees it; undefined: the caller does not see it (404, left out of lists and watches). */
  readonly object: (object: KubeObject) => KubeObject | undefined;
  /** `metadata`: `object` reads nothing but metadata and changes nothing, so that the shard's Tables and partial objects will do. */
  readonly reads: 'metadata' | 'object';
  /** Sees what a write would store, before it is stored; a returned error refuses it. */
  readonly admit?: (stored: KubeObject, proposed: KubeObject) => StatusError | undefined;
}

/** A collection held here; one implementation gives it list, watch, WatchList, Table and selectors. */
export interface Serve {
  readonly kind: 'serve';
  readonly collection: Collection;
  readonly because: string;
}

/** An error: a Status, or the plain text that kcp itself answers there. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly error: StatusError | { readonly code: number; readonly text: string };
  readonly because: string;
}

export type Answer = Forward | Transform | Serve | Refuse;
type Promised<T> = T | Promise<T>;

/** The whole contract of a virtual workspace. Our own views get nothing that a custom view does not get. */
export interface View<S extends Scope = Scope> {
  /** The segment after `/services/`. */
  readonly name: string;
  /**
   * What follows the name, up to where the Kubernetes API begins: `/:team/clusters/:cluster`. Of several paths a request has the longest
   * that it can have; parameters that only others have are absent from its scope.
   */
  readonly path: string | readonly string[];
  /** Refines the scope, or says that this path is not the view's (undefined: 403, or 404 for masters). */
  resolve?(scope: S, request: RequestInfo): S | undefined;
  /** What is served: discovery, OpenAPI and the verbs follow from it. Undefined: everything, discovery included, is up to `answer`. */
  apis(scope: S, request: RequestInfo): Promised<readonly ApiResource[] | undefined>;
  /**
   * Whether `/healthz`, `/livez` and `/readyz` are up to `answer`, too, after `authorize`. Asked for anyone who comes: it may look at nothing
   * but its arguments. Absent: they are not found, whoever asks.
   */
  healthIsForwarded?(scope: S, request: RequestInfo): boolean;
  /**
   * Whether discovery is aggregated (`apidiscovery.k8s.io`) for clients that ask for that first. Absent: it is. Clients that compare what they
   * read of it field by field with legacy discovery find groups and versions on each resource.
   */
  readonly aggregatedDiscovery?: boolean;
  /** May the caller? Masters are asked about too: what they may is the view's decision. */
  authorize(call: Call<S>): Promised<Decision>;
  answer(call: Call<S>): Promised<Answer>;
  /** Named readiness: what is still missing, or undefined when ready. */
  readonly ready?: Readonly<Record<string, () => string | undefined>>;
}

export const defineView = <S extends Scope>(view: View<S>): View<S> => view;
export const allow = (because: string): Decision => ({ allowed: true, because });
export const deny = (because: string, told?: string): Decision => ({
  allowed: false,
  because,
  ...(told !== undefined && { told }),
});
export const forward = (plan: Omit<Forward, 'kind'>): Forward => ({ kind: 'forward', ...plan });
export const transform = (plan: Omit<Transform, 'kind'>): Transform => ({ kind: 'transform', ...plan });
export const serve = (collection: Collection, because: string): Serve => ({ kind: 'serve', collection, because });
export const refuse = (error: Refuse['error'], because = 'text' in error ? error.text : error.message): Refuse => ({
  kind: 'refuse',
  error,
  because,
});
