import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { clusterOf } from '@kcp-vw/shared/kube/objects.ts';
import { timestamp } from '../store/metadata.ts';
import { SCOPES_KEY, SERVICE_ACCOUNT_CLUSTER_KEY } from './effective-users.ts';
import { shardIdentity } from './identity.ts';

const ISSUER = 'https://kcp.default.svc';
const DEFAULT_SECONDS = 3_600;

interface Claims {
  readonly exp: number;
  readonly jti: string;
  readonly sub: string;
  readonly 'kubernetes.io': {
    readonly clusterName: string;
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
  };
}

interface TokenRequest extends KubeObject {
  /** Go's clients send what is not given as null. */
  readonly spec?: { readonly audiences?: readonly string[] | null; readonly expirationSeconds?: number | null };
}

/** Tokens of service accounts: JWTs that every shard of a kcp believes, as they all have the same key. */
export class ServiceAccountTokens {
  readonly #key = randomBytes(32);

  /** A `TokenRequest` with the token in its status. */
  issue(request: TokenRequest, account: KubeObject): KubeObject {
    const { name = '', namespace = '', uid = '' } = account.metadata ?? {};
    const audiences = request.spec?.audiences ?? [ISSUER];
    const expirationSeconds = request.spec?.expirationSeconds ?? DEFAULT_SECONDS;
    const issued = Math.floor(Date.now() / 1000);
    const claims = {
      aud: audiences,
      exp: issued + expirationSeconds,
      iat: issued,
      iss: ISSUER,
      jti: randomUUID(),
      'kubernetes.io': { clusterName: clusterOf(account), namespace, serviceaccount: { name, uid } },
      nbf: issued,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    const content = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`;
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace },
      spec: { audiences, expirationSeconds },
      status: {
        token: `${content}.${this.#sign(content)}`,
        expirationTimestamp: timestamp(new Date(claims.exp * 1000)),
      },
    };
  }

  /** Whose token it is; undefined for what no shard has issued, or what is over. */
  identity(token: string): Identity | undefined {
    const [head = '', body = '', signature = ''] = token.split('.');
    const expected = Buffer.from(this.#sign(`${head}.${body}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims;
    if (claims.exp * 1000 < Date.now()) return undefined;
    const { clusterName, namespace, serviceaccount } = claims['kubernetes.io'];
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    return shardIdentity(claims.sub, groups, serviceaccount.uid, {
      [SERVICE_ACCOUNT_CLUSTER_KEY]: [clusterName],
      [SCOPES_KEY]: [`cluster:${clusterName}`],
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
    });
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#key).update(content).digest('base64url');
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
