import { X509Certificate } from 'node:crypto';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The authorities that follow the certificate of a server in its file, PEM. Undefined unless the chain is whole: intermediate ones without
 * their root are no anchors, and a front proxy that knows the root would believe nobody if it were told to believe only them.
 */
export function authoritiesAfterLeaf(pem: string | Buffer): string | undefined {
  const [, ...following] = (pem.toString('latin1').match(PEM_CERTIFICATE) ?? []).map(block => new X509Certificate(block));
  const authorities = following.filter(certificate => certificate.ca);
  return authorities.some(isSelfSigned) ? authorities.map(String).join('') : undefined;
}

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
