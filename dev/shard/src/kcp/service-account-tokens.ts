import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { CLUSTER_NAME_KEY, SCOPES_KEY } from '@kcp-vw/shared/authn/service-account-name.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { timestamp } from '../store/metadata.ts';
import { shardIdentity } from './identity.ts';

const ISSUER = 'https://kcp.default.svc';
const DEFAULT_SECONDS = 3_600;

/** What a token is of. */
export interface Bound {
  readonly clusterName: string;
  readonly namespace: string;
  readonly serviceaccount: { readonly name: string; readonly uid: string };
  /** Without it the token is worth nothing. */
  readonly secret?: { readonly name: string; readonly uid: string };
}

interface Claims {
  /** Absent: it does not end. */
  readonly exp?: number;
  readonly jti: string;
  readonly sub: string;
  readonly 'kubernetes.io': Bound;
}

interface TokenRequest extends KubeObject {
  /** Go's clients send what is not given as null. */
  readonly spec?: { readonly audiences?: readonly string[] | null; readonly expirationSeconds?: number | null };
}

/** Tokens of service accounts: JWTs that every shard of a kcp believes, as they all have the same key. */
export class ServiceAccountTokens {
  readonly #key = randomBytes(32);
  readonly #isThere: (bound: Bound) => boolean;

  /** `isThere`: whether the account, and the Secret if there is one, still are, on whichever shard. Absent: they always are. */
  constructor(isThere: (bound: Bound) => boolean = () => true) {
    this.#isThere = isThere;
  }

  /** A `TokenRequest` with the token in its status. */
  issue(request: TokenRequest, account: KubeObject): KubeObject {
    const { name, namespace } = account.metadata ?? {};
    const audiences = request.spec?.audiences ?? [ISSUER];
    const expirationSeconds = request.spec?.expirationSeconds ?? DEFAULT_SECONDS;
    const end = Math.floor(Date.now() / 1000) + expirationSeconds;
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { ...(name && { name }), ...(namespace && { namespace }) },
      spec: { audiences, expirationSeconds },
      status: {
        token: this.#token(account, { aud: audiences, exp: end }),
        expirationTimestamp: timestamp(new Date(end * 1000)),
      },
    };
  }

  /** A token that is good while the Secret is there. */
  issueFor(account: KubeObject, { metadata }: KubeObject): string {
    return this.#token(account, { aud: [ISSUER] }, { name: metadata?.name ?? '', uid: metadata?.uid ?? '' });
  }

  #token(
    account: KubeObject,
    claims: { readonly aud: readonly string[]; readonly exp?: number },
    secret?: Bound['secret'],
  ): string {
    const { name = '', namespace = '', uid = '' } = account.metadata ?? {};
    const issued = Math.floor(Date.now() / 1000);
    const bound: Bound = {
      clusterName: clusterOf(account),
      namespace,
      serviceaccount: { name, uid },
      ...(secret && { secret }),
    };
    const all = {
      ...claims,
      ...{ iat: issued, iss: ISSUER, jti: randomUUID(), 'kubernetes.io': bound, nbf: issued },
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    const content = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(all)}`;
    return `${content}.${this.#sign(content)}`;
  }

  /** Whose token it is; undefined for what no shard has issued, or what is over. */
  identity(token: string): Identity | undefined {
    const [head = '', body = '', signature = ''] = token.split('.');
    const expected = Buffer.from(this.#sign(`${head}.${body}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims;
    if (claims.exp !== undefined && claims.exp * 1000 < Date.now()) return undefined;
    if (!this.#isThere(claims['kubernetes.io'])) return undefined;
    const { clusterName, namespace, serviceaccount } = claims['kubernetes.io'];
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    return shardIdentity(claims.sub, groups, serviceaccount.uid, {
      [CLUSTER_NAME_KEY]: [clusterName],
      [SCOPES_KEY]: [`cluster:${clusterName}`],
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
    });
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#key).update(content).digest('base64url');
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
