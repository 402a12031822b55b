import { timingSafeEqual } from 'node:crypto';
import { internalError, serviceUnavailable, unauthorized } from '../kube/errors.ts';
import { requestJson } from '../upstream/json.ts';
import { type Upstream, UpstreamError } from '../upstream/upstream.ts';
import type { OwningShard } from './owning-shard.ts';
import { isRecord, textOf } from './records.ts';
import { createReviewCache } from './review-cache.ts';
import type { ObjectRef, ServiceAccountClaims } from './service-account-claims.ts';
import { digestOf } from './token-digest.ts';

/** Seconds that an object is believed to be as it was. */
const BELIEVED_FOR = 10;
/** Milliseconds that an object counts after its deletion has begun, as in Kubernetes (go-jose's leeway); for bound tokens only. */
const LEEWAY_MS = 60_000;
const TIMEOUT_MS = 10_000;
const INVALID_SINCE_LABEL = 'kubernetes.io/legacy-token-invalid-since';

export interface ServiceAccountLookup {
  /**
   * Returns when the account of a token is there, and what the token is bound to. Throws a StatusError: 401 when one of them is gone or another
   * of the same name, 503 when it cannot be told now.
   */
  check(claims: ServiceAccountClaims, token: string): Promise<void>;
}

/** What is remembered of an object; of a Secret not the token, only what one can be compared with. */
interface Found {
  readonly uid: string;
  /** Milliseconds since 1970; undefined: it is not being deleted. */
  readonly deletedAt: number | undefined;
  readonly tokenDigest?: Buffer | undefined;
  readonly isInvalid: boolean;
}

export interface ServiceAccountLookupOptions {
  readonly shards: OwningShard;
  readonly clock?: () => number;
}

/**
 * Asks the shard that an account's logical cluster is on. kcp-front-proxy asks the root shard whatever the token, so that bound tokens of
 * all other shards fail there.
 */
export function createServiceAccountLookup({ shards, clock }: ServiceAccountLookupOptions): ServiceAccountLookup {
  // Paths are made of names that have been checked, and hold no secrets.
  const cache = createReviewCache<Found | undefined>({ plainKeys: true, ...(clock && { clock }) });

  /** `token` tells those apart that name the same object and mean another: what was asked for an older one is no answer for a new one. */
  function find(cluster: string, path: string, token: string): Promise<Found | undefined> {
    const fullPath = `/clusters/${cluster}${path}`;
    return cache.get(`${fullPath} ${token}`, async () => {
      const shard = await shards.of(cluster);
      return { answer: shard && (await get(shard, fullPath)), ttl: BELIEVED_FOR };
    });
  }

  async function checkBound({ cluster, namespace, account, secret, pod, node }: ServiceAccountClaims): Promise<void> {
    const inNamespace = `/api/v1/namespaces/${namespace}`;
    const isStill = async (path: string, { name, uid }: ObjectRef): Promise<void> => {
      const found = await find(cluster, `${path}/${name}`, cache.digest(uid));
      if (found?.uid !== uid || (found.deletedAt ?? Number.POSITIVE_INFINITY) < Date.now() - LEEWAY_MS) throw unauthorized();
    };
    await isStill(`${inNamespace}/serviceaccounts`, account);
    if (secret) await isStill(`${inNamespace}/secrets`, secret);
    if (pod) await isStill(`${inNamespace}/pods`, pod);
    // Beside a pod the node is only where that runs.
    else if (node) await isStill('/api/v1/nodes', node);
  }

  async function checkLegacy(
    { cluster, namespace, account, legacySecret = '' }: ServiceAccountClaims,
    token: string,
  ): Promise<void> {
    const inNamespace = `/api/v1/namespaces/${namespace}`;
    const tokenDigest = digestOf(token);
    const secret = await find(cluster, `${inNamespace}/secrets/${legacySecret}`, tokenDigest.toString('base64'));
    if (!secret || secret.deletedAt !== undefined || secret.isInvalid) throw unauthorized();
    if (!secret.tokenDigest || !timingSafeEqual(secret.tokenDigest, tokenDigest)) throw unauthorized();
    const found = await find(cluster, `${inNamespace}/serviceaccounts/${account.name}`, cache.digest(account.uid));
    if (found?.uid !== account.uid || found.deletedAt !== undefined) throw unauthorized();
  }

  return {
    check: (claims, token) => (claims.legacySecret === undefined ? checkBound(claims) : checkLegacy(claims, token)),
  };
}

/** Undefined: there is no such object. */
async function get(shard: Upstream, path: string): Promise<Found | undefined> {
  const { status, body } = await ask(shard, path);
  if (status === 404) return undefined;
  if (status === 401 || status === 403) {
    throw internalError(`${shard.name} does not let this server look up service accounts (${status})`);
  }
  const metadata = isRecord(body) ? body.metadata : undefined;
  if (status !== 200 || !isRecord(metadata)) throw serviceUnavailable(`${shard.name} answered ${status} to a look-up`);
  const deletion = textOf(metadata, 'deletionTimestamp');
  const secret = isRecord(body) ? textOf(body.data, 'token') : undefined;
  return {
    uid: textOf(metadata, 'uid') ?? '',
    // Of a time that cannot be read only so much is known that it is over.
    deletedAt: deletion === undefined ? undefined : Date.parse(deletion) || 0,
    isInvalid: Boolean(textOf(metadata.labels, INVALID_SINCE_LABEL)),
    ...(secret !== undefined && { tokenDigest: digestOf(Buffer.from(secret, 'base64').toString()) }),
  };
}

/** Throws a StatusError 503 when no answer comes: the token may well be valid. */
async function ask(shard: Upstream, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    return await requestJson<unknown>(shard, { method: 'GET', path, timeout: TIMEOUT_MS });
  } catch (cause) {
    if (cause instanceof UpstreamError) throw serviceUnavailable('the service account cannot be looked up now', 1, cause);
    throw cause;
  }
}
