import type { OidcOptions } from '../config/options.ts';
import { unauthorized } from '../kube/errors.ts';
import { type Identity, identity } from './identity.ts';

/** The claims of a verified token, as far as JSON goes. */
type Claims = Readonly<Record<string, unknown>>;
type Rules = Pick<
  OidcOptions,
  'issuerUrl' | 'usernameClaim' | 'usernamePrefix' | 'groupsClaim' | 'groupsPrefix' | 'requiredClaims'
>;

/** Names that Kubernetes and kcp give; whoever chooses names at an issuer must not choose one of them. */
const RESERVED = 'system:';

/**
 * The user that the claims of a verified ID token stand for. There is no extra: every key that kcp reads (scopes, warrants, the logical
 * cluster of a service account) is somebody else's to give. Throws a StatusError 401 when the claims name nobody.
 */
export function userOfClaims(claims: Claims, rules: Rules): Identity {
  for (const [claim, value] of Object.entries(rules.requiredClaims)) {
    if (own(claims, claim) !== value) throw unauthorized();
  }
  return identity(nameOf(claims, rules), groupsOf(claims, rules));
}

function nameOf(claims: Claims, { issuerUrl, usernameClaim, usernamePrefix }: Rules): string {
  const claim = own(claims, usernameClaim);
  // Without a name the request would go on as nobody's, and run as ours (GHSA-4xh5-jcj2-ch8q).
  if (typeof claim !== 'string' || claim === '') throw unauthorized();
  // An address that is not its owner's is a name that anybody can choose (OpenID Connect Core 1.0 §5.7).
  if (usernameClaim === 'email' && Object.hasOwn(claims, 'email_verified') && claims.email_verified !== true) {
    throw unauthorized();
  }
  const name = prefixOf(usernamePrefix, usernameClaim, issuerUrl) + claim;
  if (name.startsWith(RESERVED)) throw unauthorized();
  return name;
}

/** As Kubernetes' `--oidc-username-prefix`: without one, names are told apart by their issuer, unless they are addresses. */
function prefixOf(prefix: string | undefined, claim: string, issuerUrl: string): string {
  if (prefix === '-') return '';
  if (prefix) return prefix;
  return claim === 'email' ? '' : `${issuerUrl}#`;
}

/** One group or a list of them. Of anything else nobody knows what it takes away from the user, so that it names nobody. */
function groupsOf(claims: Claims, { groupsClaim, groupsPrefix }: Rules): readonly string[] {
  const claim = groupsClaim === undefined ? undefined : own(claims, groupsClaim);
  if (claim === undefined) return [];
  const groups: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  if (!groups.every(group => typeof group === 'string')) throw unauthorized();
  return groups
    .filter(group => group !== '')
    .map(group => groupsPrefix + group)
    .filter(group => !group.startsWith(RESERVED));
}

const own = (claims: Claims, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);
