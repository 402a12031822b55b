import { loadKubeconfig, upstreamFor } from '../config/kubeconfig.ts';
import type { Options } from '../config/options.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { type Authenticate, createAuthenticator } from './authenticate.ts';
import { createOidcAuthenticator } from './oidc.ts';
import { createOwningShard } from './owning-shard.ts';
import { createServiceAccountLookup } from './service-account-lookup.ts';
import { createServiceAccountTokens } from './service-account-tokens.ts';
import { connectShards } from './shards.ts';
import { loadSigningKeys } from './signing-keys.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';
import { loadTokenFile } from './token-file.ts';
import { createTokenReviewer } from './token-review.ts';

export interface AuthenticationHooks {
  /** Something that is followed cannot be used now; what was in force stays. */
  readonly onError: (error: Error) => void;
}

/** The authentication of a front proxy, with all that it stands on. */
export interface Authentication {
  readonly authenticate: Authenticate;
  /** Where tokens are reviewed; undefined when nobody reviews them. */
  readonly reviewer?: Upstream;
  close(): Promise<void>;
}

/** Follows what is made, so that all of it is closed: in the end, or when one of them cannot be. */
type OnClose = (close: () => void | Promise<void>) => void;

/** Connects all ways to know a caller that are configured. Rejects with an Error that names the file that cannot be used. */
export async function connectAuthentication(options: Options, { onError }: AuthenticationHooks): Promise<Authentication> {
  const closes: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closes.splice(0).reverse()) await one();
  };
  try {
    const tokenAuthenticators =
      options.face === 'public' ? await authenticatorsOf(options, onError, one => closes.push(one)) : [];
    const reviews = await connectReviewer(options, onError, one => closes.push(one));
    const authenticate = createAuthenticator({
      requestHeader: options.requestHeader,
      face: options.face,
      groups: options.publicFace,
      shardClientNames: options.shardClientNames,
      tokenAuthenticators,
      ...(reviews && { tokenReviewer: reviews.tokenReviewer }),
    });
    return { authenticate, ...(reviews && { reviewer: reviews.upstream }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Those of the public face, in the order in which they are asked: what can be told without a signature comes first. */
async function authenticatorsOf(
  { publicFace, limits }: Options,
  onError: AuthenticationHooks['onError'],
  onClose: OnClose,
): Promise<readonly TokenAuthenticator[]> {
  const authenticators: TokenAuthenticator[] = [];
  if (publicFace.tokenFile !== undefined) {
    const tokens = loadTokenFile(publicFace.tokenFile, { onError });
    onClose(() => tokens.close());
    authenticators.push(tokens);
  }
  if (publicFace.serviceAccounts) {
    const { keyFiles, shardsKubeconfig } = publicFace.serviceAccounts;
    const keys = loadSigningKeys(keyFiles, { onError });
    onClose(() => keys.close());
    const shards = await connectShards({ kubeconfig: shardsKubeconfig, limits, onError });
    onClose(() => shards.close());
    const lookup = createServiceAccountLookup({ shards: createOwningShard({ shards }) });
    authenticators.push(createServiceAccountTokens({ accounts: publicFace.serviceAccounts, keys, lookup }));
  }
  if (publicFace.oidc) {
    const oidc = createOidcAuthenticator({ oidc: publicFace.oidc, onError });
    onClose(() => oidc.close());
    authenticators.push(oidc);
  }
  return authenticators;
}

/**
 * Tokens are reviewed where `--authentication-kubeconfig` says, else in `root` of the shard. Never with in-cluster credentials. A public face
 * may do without.
 */
async function connectReviewer(options: Options, onError: AuthenticationHooks['onError'], onClose: OnClose) {
  const { kubeconfig, context, authenticationKubeconfig, authenticationTokenTTL, limits, face } = options;
  const file = authenticationKubeconfig ?? kubeconfig;
  if (file === '' && face === 'public') return undefined;
  const access = await loadKubeconfig(file, authenticationKubeconfig ? {} : { context });
  const upstream = upstreamFor(access, limits, 'token reviewer', { onError });
  onClose(() => upstream.close());
  const tokenReviewer = createTokenReviewer({
    upstream,
    basePath: authenticationKubeconfig ? upstream.basePath : '/clusters/root',
    ...(authenticationTokenTTL !== undefined && { successTTL: authenticationTokenTTL }),
  });
  return { upstream, tokenReviewer };
}
