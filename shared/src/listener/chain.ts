/**
 * Does a client's certificate chain to a certificate authority? Path validation (RFC 5280 6.1) against *one* set of authorities.
 *
 * OpenSSL has an opinion too (`socket.authorized`), but it knows one set for the whole server and does not say which authority it
 * found; and whether someone may speak for others depends on just that.
 */
import type { X509Certificate } from 'node:crypto';
import { certificateExtensions } from './certificate-extensions.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

/** Certificates between leaf and authority. More than anyone uses, and few enough to keep the search short. */
const MAX_INTERMEDIATES = 4;
/** A client can send intermediates that fit together in many ways, to keep us computing (as in CVE-2018-16875). */
const MAX_SIGNATURE_CHECKS = 32;

/**
 * When the chain from `leaf` over some of `intermediates` to one of `authorities` ends to be valid, or undefined if there is none at
 * `now`. The authorities are trust anchors as they are: one that is not self-signed needs no parent.
 */
export function chainValidUntil(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  now: number,
): number | undefined {
  if (!isValidAt(leaf, now) || !mayAuthenticateClients(leaf)) return undefined;
  const extensions = certificateExtensions(leaf);
  if (extensions.hasUnknownCritical || !extensions.mayDigitallySign) return undefined;

  let signatureChecks = 0;
  const signed = (child: X509Certificate, issuer: X509Certificate): boolean => {
    signatureChecks++;
    return child.verify(issuer.publicKey);
  };

  const search = (child: X509Certificate, below: readonly X509Certificate[]): number | undefined => {
    const issues = (candidate: X509Certificate): boolean =>
      signatureChecks < MAX_SIGNATURE_CHECKS &&
      child.checkIssued(candidate) &&
      mayIssue(candidate, below.filter(({ subject, issuer }) => subject !== issuer).length, now) &&
      signed(child, candidate);

    const anchor = authorities.find(issues);
    if (anchor) return Math.min(...[leaf, ...below, anchor].map(({ validToDate }) => validToDate.getTime()));
    if (below.length === MAX_INTERMEDIATES) return undefined;
    for (const candidate of intermediates) {
      if (candidate === child || below.includes(candidate) || !issues(candidate)) continue;
      const until = search(candidate, [...below, candidate]);
      if (until !== undefined) return until;
    }
    return undefined;
  };
  return search(leaf, []);
}

/** May this certificate stand above `authoritiesBelow` others in a chain that ends in a client's certificate? */
function mayIssue(certificate: X509Certificate, authoritiesBelow: number, now: number): boolean {
  if (!certificate.ca || !isValidAt(certificate, now) || !mayAuthenticateClients(certificate)) return false;
  const extensions = certificateExtensions(certificate);
  // Name constraints narrow what an authority may issue. We do not evaluate them, so such an authority may issue nothing.
  if (extensions.hasUnknownCritical || extensions.hasNameConstraints) return false;
  return extensions.mayCertify && authoritiesBelow <= extensions.pathLength;
}

const isValidAt = (certificate: X509Certificate, now: number): boolean =>
  certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();

/** An extended key usage, where present, restricts the certificate, and an authority's restricts what it issues. */
function mayAuthenticateClients(certificate: X509Certificate): boolean {
  // The type says it is always there; a certificate without the extension has none.
  const usages = certificate.keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.includes(CLIENT_AUTH) || usages.includes(ANY_EXTENDED_KEY_USAGE);
}
