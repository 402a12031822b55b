import type { Caller, Identity } from '../authn/identity.ts';
import type { ApiResource } from '../kube/discovery.ts';
import type { StatusError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
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
  | { readonly allowed: false; readonly because: string };

/** Bytes pass untouched: a rewritten target, the identity to use upstream, a selector to push down. */
export interface Forward {
  readonly kind: 'forward';
  /** Logical cluster upstream: a name or `*`. Default: the scope's `cluster`. */
  readonly cluster?: string;
  /** Label requirements, ANDed to the caller's: `a=b,!c`. */
  readonly select?: string;
  /** Impersonated upstream; without it the request goes as the service itself. */
  readonly as?: Identity;
  /** For a long-running request: calls `end` when the access ends; returns how to stop listening. */
  readonly until?: (end: (reason: string) => void) => () => void;
  readonly because: string;
}

/** As forward, with a function per object, applied to get, list items, table rows, watch events and results of writes alike. */
export interface Transform extends Omit<Forward, 'kind'> {
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
  /** What follows the name, up to where the Kubernetes API begins: `/:team/clusters/:cluster`. */
  readonly path: string;
  /** Refines the scope, or says that this path is not the view's (undefined: 403, or 404 for masters). */
  resolve?(scope: S, request: RequestInfo): S | undefined;
  /** What is served: discovery, OpenAPI and the verbs follow from it. Undefined: everything, discovery included, is up to `answer`. */
  apis(scope: S, request: RequestInfo): Promised<readonly ApiResource[] | undefined>;
  /** May the caller? Masters are asked about too: what they may is the view's decision. */
  authorize(call: Call<S>): Promised<Decision>;
  answer(call: Call<S>): Promised<Answer>;
  /** Named readiness: what is still missing, or undefined when ready. */
  readonly ready?: Readonly<Record<string, () => string | undefined>>;
}

export const defineView = <S extends Scope>(view: View<S>): View<S> => view;
export const allow = (because: string): Decision => ({ allowed: true, because });
export const deny = (because: string): Decision => ({ allowed: false, because });
export const forward = (plan: Omit<Forward, 'kind'>): Forward => ({ kind: 'forward', ...plan });
export const transform = (plan: Omit<Transform, 'kind'>): Transform => ({ kind: 'transform', ...plan });
export const serve = (collection: Collection, because: string): Serve => ({ kind: 'serve', collection, because });
export const refuse = (error: Refuse['error'], because = 'text' in error ? error.text : error.message): Refuse => ({
  kind: 'refuse',
  error,
  because,
});
