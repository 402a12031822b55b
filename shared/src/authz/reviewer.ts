import type { Identity } from '../authn/identity.ts';
import { perObject } from '../authn/per-object.ts';
import { createReviewCache, type ReviewCacheOptions, type ReviewCacheStats, type Reviewed } from '../authn/review-cache.ts';
import { requestReview, reviewStatus } from '../authn/review-request.ts';
import { internalError } from '../kube/errors.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface ResourceAttributes {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  readonly name?: string;
  readonly namespace?: string;
}

export interface NonResourceAttributes {
  readonly path: string;
  readonly verb: string;
}

/** What is asked: may `user` do this. */
export type ReviewAttributes = { readonly user: Identity } & (
  | { readonly resource: ResourceAttributes; readonly nonResource?: never }
  | { readonly nonResource: NonResourceAttributes; readonly resource?: never }
);

export interface Review {
  readonly allowed: boolean;
  /** The authorizer's words; may be shown to the caller. */
  readonly reason: string;
}

export interface ReviewerOptions extends ReviewCacheOptions {
  readonly upstream: Upstream;
  /** Before `/clusters`; usually empty. */
  readonly basePath: string;
  /** How long an allowed and a refused review are believed, seconds. */
  readonly allowTTL: number;
  readonly denyTTL: number;
  /**
   * Asks what the user could do with his permissions alone, without regard to required groups, maximal permission policies and access
   * to the workspace. Counts only from masters directly at a shard: a kcp front-proxy drops that group, and the review is ordinary.
   */
  readonly deep?: boolean;
}

export interface Reviewer {
  /**
   * Asks a logical cluster's authorizer (SubjectAccessReview). A reviewer that will not review, or a logical cluster that does
   * not exist, is a refusal. Throws a StatusError when no decision was made: 503 when the review could not be made, 500 for an
   * answer that is none.
   */
  review(cluster: string, attributes: ReviewAttributes): Promise<Review>;
  stats(): ReviewCacheStats;
}

/** Names and paths of logical clusters. Anything else (`..`, `*`, a slash) would be another URL. */
const CLUSTER = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** kcp's own, between its components. */
const DEEP_REVIEW_HEADER = 'X-Kcp-Internal-Deep-SubjectAccessReview';

export function createReviewer(options: ReviewerOptions): Reviewer {
  const { upstream, basePath, allowTTL, denyTTL, deep = false } = options;
  const prefix = `${basePath.replace(/\/+$/, '')}/clusters/`;
  // Whoever asks, asks again and again: what stands for the user is worked out once, and a key is a handful of short texts.
  const cache = createReviewCache<Review>({ ...options, plainKeys: true });
  const digestOf = perObject((user: Identity) => cache.digest(JSON.stringify(userOf(user))));

  async function ask(cluster: string, spec: unknown): Promise<Reviewed<Review>> {
    const path = `${prefix}${cluster}/apis/authorization.k8s.io/v1/subjectaccessreviews`;
    const body = { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec };
    const response = await requestReview({ upstream, path, body, ...(deep && { headers: [DEEP_REVIEW_HEADER, 'true'] }) });
    if (response.status === 403 || response.status === 404) {
      // Not the reviewer's own words: they name our service's user, and tell a workspace that exists from one that does not.
      return { answer: deny(`access cannot be reviewed in logical cluster "${cluster}"`), ttl: denyTTL };
    }
    if (response.status === 401) throw internalError("the authorizer does not accept this server's credentials (401)");
    const answer = decisionOf(reviewStatus(response));
    if (!answer) throw internalError(`the authorizer answered ${response.status} without a decision`);
    return { answer, ttl: answer.allowed ? allowTTL : denyTTL };
  }

  return {
    async review(cluster, attributes) {
      if (!CLUSTER.test(cluster)) return deny(`"${cluster}" is no name of a logical cluster`);
      const key = `${digestOf(attributes.user)} ${cluster} ${targetText(attributes)}`;
      return cache.get(key, () => ask(cluster, { ...userOf(attributes.user), ...targetOf(attributes) }));
    },
    stats: () => cache.stats(),
  };
}

const deny = (reason: string): Review => Object.freeze({ allowed: false, reason });

/** Goes unchanged: scopes and warrants travel in `extra`. */
function userOf({ name, uid, groups, extra }: Identity): object {
  return { user: name, ...(uid && { uid }), groups, extra: sortedByKey(extra) };
}

/** The same text for the same target, and no other's: JSON keeps the parts apart, and an absent one is an empty one. */
function targetText({ resource, nonResource }: ReviewAttributes): string {
  if (nonResource !== undefined) return JSON.stringify([nonResource.path, nonResource.verb]);
  const { group, version, resource: name, subresource = '', verb, name: object = '', namespace = '' } = resource;
  return JSON.stringify([group, version, name, subresource, verb, object, namespace]);
}

function targetOf({ resource, nonResource }: ReviewAttributes): object {
  return {
    ...(resource && { resourceAttributes: resourceAttributes(resource) }),
    ...(nonResource && { nonResourceAttributes: { path: nonResource.path, verb: nonResource.verb } }),
  };
}

const sortedByKey = (extra: Identity['extra']): Identity['extra'] =>
  // fromEntries defines properties: an extra key `__proto__` stays a key.
  Object.fromEntries(Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Field by field, so that nothing else of what a caller hands over is sent or makes another cache key; empty ones are absent in Go. */
function resourceAttributes({ group, version, resource, subresource, verb, name, namespace }: ResourceAttributes): unknown {
  const fields = { group, version, resource, subresource, verb, name, namespace };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
}

/** Undefined when the status decides nothing. */
function decisionOf(status: Readonly<Record<string, unknown>> | undefined): Review | undefined {
  if (typeof status?.allowed !== 'boolean') return undefined;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const reason = text(status.reason);
  // `denied` is an explicit no, which no other authorizer's yes outweighs.
  if (status.allowed && status.denied !== true) return Object.freeze({ allowed: true, reason });
  return deny([reason, text(status.evaluationError)].filter(part => part !== '').join(': ') || 'access denied');
}
