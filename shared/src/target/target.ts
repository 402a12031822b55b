import { badRequest } from '../kube/errors.ts';

/**
 * A request target, split but not interpreted: every byte that is sent on is a byte that was received.
 *
 * `segments` are percent-decoded for decisions only; `rawSegments` are what is forwarded.
 */
export interface Target {
  /** Path without query, as received. Starts with `/`. */
  readonly rawPath: string;
  /** Without the `?`; empty when there is none. */
  readonly rawQuery: string;
  readonly rawSegments: readonly string[];
  readonly segments: readonly string[];
  /** Decoded query parameters, in order. */
  readonly query: URLSearchParams;
}
