import type { Caller, Identity } from '../authn/identity.ts';
import type { ApiResource } from '../kube/discovery.ts';
import type { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Collection, CollectionDefinition } from './collection.ts';
import type { Guard } from './guard.ts';
import type { Rewrite } from './rewrite.ts';
import type { ViewWrite, ViewWritePlan } from './view-write.ts';

export type { Admitted, AdmittedWrite, Guard } from './guard.ts';
export type { BodyKind, Rewrite } from './rewrite.ts';
export type { ViewWrite, ViewWritePlan, WriteStep } from './view-write.ts';

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
  /** The shard that the request goes to, as whom this connection is; absent: the local one, as the service itself. */
  readonly shard?: Upstream;
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
  /**
   * For a long-running request: calls `end` when the access ends; returns how to stop listening. `expired`: a transformed watch may have left
   * out what it should have shown, so that it is not to be resumed (410).
   */
  readonly until?: (end: (reason: string, expired?: 'expired') => void) => () => void;
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

/** As forward, with a function per object, applied to get, list items, table rows, watch events and results of writes alike. */
export interface Transform extends Omit<Forward, 'kind' | 'guard' | 'emptyUntilServed'> {
  readonly kind: 'transform';
  /**
   * The object as the caller sees it; undefined: the caller does not see it (404, left out of lists and watches). It must not be changed:
   * what is shown otherwise is made anew. A StatusError that is thrown is the answer of a get; an object for which it is thrown is left
   * out of lists and watches. Numbers that a double does not hold are opaque objects.
   */
  readonly object: (object: KubeObject) => KubeObject | undefined;
  /** As `object`, for the last state of an object that is deleted, as a watch tells it. Absent: `object`. */
  readonly deleted?: (object: KubeObject) => KubeObject | undefined;
  /** What the objects are: with `reads: 'object'` Tables, metadata and YAML are made here. Absent: such callers get plain JSON. */
  readonly of?: CollectionDefinition;
  /**
   * Creates, updates and patches, of an object or of its status, are of what the caller is shown: the shard is asked for what this makes of
   * them. May throw a StatusError. Absent: objects are updated and patched as the shard has them, where `admit` says of which; else nothing is
   * written.
   */
  readonly write?: (write: ViewWrite) => ViewWritePlan | Promise<ViewWritePlan>;
  /** `metadata`: `object` reads nothing but metadata and changes nothing, so that the shard's Tables and partial objects will do. */
  readonly reads: 'metadata' | 'object';
  /** Sees what a write would store, before it is stored; a returned error refuses it. */
  readonly admit?: (stored: KubeObject, proposed: KubeObject) => StatusError | undefined;
}

/** A collection held here; one implementation gives it list, watch, WatchList, Table and selectors. */
export interface Serve {
  readonly kind: 'serve';
  readonly collection: Collection;
  /** Of a watch: calls `end` when the access ends, or what is known of it; returns how to stop listening. */
  readonly until?: NonNullable<Forward['until']>;
  /** The longest that a watch may last, drawn at random from this range. Absent: as long as Kubernetes lets it. */
  readonly watchSeconds?: { readonly min: number; readonly max: number };
  readonly because: string;
}

/** An error: a Status, or the plain text that kcp itself answers there. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly error: StatusError | { readonly code: number; readonly text: string };
  readonly because: string;
}

export type Answer = Forward | Transform | Rewrite | Serve | Refuse;
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
export const rewrite = (plan: Omit<Rewrite, 'kind'>): Rewrite => ({ kind: 'rewrite', ...plan });
export const serve = (collection: Collection, because: string, limits: Pick<Serve, 'until' | 'watchSeconds'> = {}): Serve => ({
  kind: 'serve',
  collection,
  because,
  ...limits,
});
export const refuse = (error: Refuse['error'], because = 'text' in error ? error.text : error.message): Refuse => ({
  kind: 'refuse',
  error,
  because,
});
