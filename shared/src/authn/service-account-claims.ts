import type { JWTPayload } from 'jose';
import { unauthorized } from '../kube/errors.ts';
import { CREDENTIAL_ID_KEY } from './certificate.ts';
import { type Identity, identity } from './identity.ts';
import { isRecord, textOf } from './records.ts';
import {
  CLUSTER_NAME_KEY,
  isNamespaceName,
  isObjectName,
  isWorkspaceCluster,
  SCOPES_KEY,
  SERVICE_ACCOUNT_PREFIX,
  serviceAccountGroups,
} from './service-account-name.ts';

/** The issuer of tokens that live in a Secret and never end. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

/** An object by its name and UID: the same name may come again for another object. */
export interface ObjectRef {
  readonly name: string;
  readonly uid: string;
}

/** What a verified token of a service account says. All names are fit to stand in a path. */
export interface ServiceAccountClaims {
  readonly cluster: string;
  readonly namespace: string;
  readonly account: ObjectRef;
  /** With which the token ends. */
  readonly secret?: ObjectRef;
  readonly pod?: ObjectRef;
  readonly node?: ObjectRef;
  /** The Secret that holds a legacy token, by its name. */
  readonly legacySecret?: string;
  /** Empty without one. */
  readonly tokenID: string;
}

/**
 * The claims of a bound token, `kubernetes.io` in the payload, with kcp's `clusterName` (`pkg/serviceaccount/claims.go` in kcp's Kubernetes).
 * Throws a StatusError 401 when they do not name an account of a workspace.
 */
export function boundClaims(payload: JWTPayload): ServiceAccountClaims {
  const claims = payload['kubernetes.io'];
  if (!isRecord(claims)) throw unauthorized();
  const secret = refOf(claims.secret);
  const pod = refOf(claims.pod);
  const node = refOf(claims.node);
  const account = refOf(claims.serviceaccount);
  if (account === undefined) throw unauthorized();
  return checked(payload, {
    cluster: textOf(claims, 'clusterName') ?? '',
    namespace: textOf(claims, 'namespace') ?? '',
    account,
    ...(secret && { secret }),
    ...(pod && { pod }),
    ...(node && { node }),
    tokenID: textOf(payload, 'jti') ?? '',
  });
}

const LEGACY = 'kubernetes.io/serviceaccount/';

/** The claims of a legacy token (`pkg/serviceaccount/legacy.go`). Throws as `boundClaims`. */
export function legacyClaims(payload: JWTPayload): ServiceAccountClaims {
  const claim = (name: string): string => textOf(payload, LEGACY + name) ?? '';
  const secret = claim('secret.name');
  if (!isObjectName(secret)) throw unauthorized();
  return checked(payload, {
    cluster: claim('clusterName'),
    namespace: claim('namespace'),
    account: { name: claim('service-account.name'), uid: claim('service-account.uid') },
    legacySecret: secret,
    tokenID: '',
  });
}

/** Undefined when the token is bound to no such object. Throws a StatusError 401 for a reference that is none. */
function refOf(value: unknown): ObjectRef | undefined {
  if (value === undefined || value === null) return undefined;
  const name = textOf(value, 'name') ?? '';
  const uid = textOf(value, 'uid') ?? '';
  if (!isObjectName(name) || uid === '') throw unauthorized();
  return { name, uid };
}

/**
 * Whoever has the key may write anything into a token. Its words become part of paths on shards, where `../services/…` would lead to
 * other doors, and of the user's name, where `a:b` would be the namespace of another account.
 */
function checked(payload: JWTPayload, claims: ServiceAccountClaims): ServiceAccountClaims {
  const { cluster, namespace, account } = claims;
  const areNames = isWorkspaceCluster(cluster) && isNamespaceName(namespace) && isObjectName(account.name) && account.uid !== '';
  if (!areNames || payload.sub !== userNameOf(claims)) throw unauthorized();
  return claims;
}

const userNameOf = ({ namespace, account }: ServiceAccountClaims): string =>
  `${SERVICE_ACCOUNT_PREFIX}${namespace}:${account.name}`;

const EXTRA = 'authentication.kubernetes.io/';

/** The account as a user: in the words of Kubernetes, and with kcp's two keys, which keep it to its own logical cluster. */
export function serviceAccountUser(claims: ServiceAccountClaims): Identity {
  const { cluster, namespace, account, pod, node, tokenID } = claims;
  return identity(userNameOf(claims), serviceAccountGroups(namespace), account.uid, {
    [CLUSTER_NAME_KEY]: [cluster],
    [SCOPES_KEY]: [`cluster:${cluster}`],
    ...(tokenID && { [CREDENTIAL_ID_KEY]: [`JTI=${tokenID}`] }),
    ...(pod && { [`${EXTRA}pod-name`]: [pod.name], [`${EXTRA}pod-uid`]: [pod.uid] }),
    ...(node && { [`${EXTRA}node-name`]: [node.name], [`${EXTRA}node-uid`]: [node.uid] }),
  });
}
