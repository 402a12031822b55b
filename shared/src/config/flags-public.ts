import { optional, type Values } from './flags-given.ts';
import { UsageError } from './flags-values.ts';
import type { OidcOptions, PublicFaceOptions, ServiceAccountOptions } from './options.ts';

/** Asymmetric only: with a shared key, whoever may check a token may issue one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'EdDSA'];

/** What only a public face takes; given to another one, it is refused. Throws a UsageError. */
export function publicFaceOf(values: Values): PublicFaceOptions {
  const oidc = oidcOf(values);
  const serviceAccounts = serviceAccountsOf(values);
  const tokenFile = values.get('file', 'token-auth-file');
  if (tokenFile && !values.require('bool', 'insecure-token-auth-file')) {
    throw new UsageError('--token-auth-file is insecure (its tokens never end): give --insecure-token-auth-file if you mean it');
  }
  if (values.get('text', 'face') !== 'public' && (oidc || serviceAccounts || tokenFile)) {
    throw new UsageError('--oidc-*, --service-account-* and --token-auth-file belong to --face=public');
  }
  return {
    dropGroups: values.require('list', 'authentication-drop-groups'),
    passOnGroups: values.require('list', 'authentication-pass-on-groups'),
    ...(oidc && { oidc }),
    ...(serviceAccounts && { serviceAccounts }),
    ...optional('tokenFile', tokenFile),
  };
}

function oidcOf(values: Values): OidcOptions | undefined {
  const issuerUrl = values.get('text', 'oidc-issuer-url');
  const clientID = values.get('text', 'oidc-client-id');
  if (!issuerUrl && !clientID) return undefined;
  if (!issuerUrl || !clientID) throw new UsageError('--oidc-issuer-url and --oidc-client-id are needed together');
  const { protocol, search, hash, username } = URL.parse(issuerUrl) ?? {};
  if (protocol !== 'https:' || search || hash || username)
    throw new UsageError('--oidc-issuer-url takes an https URL without query');
  const signingAlgorithms = values.require('list', 'oidc-signing-algs');
  const unknown = signingAlgorithms.find(name => !ALGORITHMS.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--oidc-signing-algs takes ${ALGORITHMS.join(', ')}, not ${JSON.stringify(unknown)}`);
  const usernamePrefix = values.get('text', 'oidc-username-prefix');
  return {
    issuerUrl,
    clientID,
    usernameClaim: values.require('text', 'oidc-username-claim'),
    ...optional('usernamePrefix', usernamePrefix),
    ...optional('groupsClaim', values.get('text', 'oidc-groups-claim')),
    groupsPrefix: values.get('text', 'oidc-groups-prefix') ?? '',
    requiredClaims: Object.fromEntries(values.require('list', 'oidc-required-claim').map(claimOf)),
    signingAlgorithms,
    ...optional('caFile', values.get('file', 'oidc-ca-file')),
  };
}

function claimOf(text: string): readonly [string, string] {
  const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw new UsageError(`--oidc-required-claim takes claim=value, not ${JSON.stringify(text)}`);
  return [name, value];
}

function serviceAccountsOf(values: Values): ServiceAccountOptions | undefined {
  const keyFiles = values.require('list', 'service-account-key-file');
  if (keyFiles.length === 0) return undefined;
  const shardsKubeconfig = values.get('file', 'shards-kubeconfig');
  if (!shardsKubeconfig) {
    throw new UsageError(
      '--shards-kubeconfig is required with --service-account-key-file: a token counts while its account exists',
    );
  }
  const issuers = values.require('list', 'service-account-issuer');
  const audiences = values.require('list', 'api-audiences');
  return { keyFiles, issuers, audiences: audiences.length > 0 ? audiences : issuers, shardsKubeconfig };
}
