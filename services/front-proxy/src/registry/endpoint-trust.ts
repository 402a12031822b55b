import { X509Certificate } from 'node:crypto';

/** What is said about the authorities that certify an endpoint. */
export interface TrustInputs {
  /** `spec.caBundle`: PEM in base64. */
  readonly caBundle?: string | undefined;
  /** PEM of `--services-ca-file`, which counts where there is no bundle. */
  readonly servicesCA?: string | Buffer | undefined;
  /** The endpoint's own word, PEM: it narrows what is believed. */
  readonly ca?: string | undefined;
}

export type Trust = { readonly ca: string } | { readonly refusal: string };

/**
 * The authorities whose certificates count at an endpoint. The system's never do, and an endpoint cannot add any: whoever writes its entry
 * would otherwise say himself whom to believe.
 */
export function trustOf({ caBundle, servicesCA, ca }: TrustInputs): Trust {
  if (caBundle === undefined && servicesCA === undefined) {
    return { refusal: 'nothing says whose certificates count there: neither spec.caBundle nor --services-ca-file' };
  }
  const given = certificatesIn(caBundle === undefined ? String(servicesCA) : Buffer.from(caBundle, 'base64').toString());
  if (given === undefined) {
    return {
      refusal: `${caBundle === undefined ? '--services-ca-file' : 'spec.caBundle'} holds no certificates that can be decoded`,
    };
  }
  if (ca === undefined) return { ca: pemOf(given) };
  const own = certificatesIn(ca);
  if (own === undefined) return { refusal: 'its ca holds no certificates that can be decoded' };
  const common = given.filter(({ raw }) => own.some(other => raw.equals(other.raw)));
  return common.length > 0
    ? { ca: pemOf(common) }
    : { refusal: `none of the authorities in its ca is in ${caBundle === undefined ? '--services-ca-file' : 'spec.caBundle'}` };
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Undefined when there is none, or one that cannot be decoded: Node would ignore it, and trust others without it. */
function certificatesIn(pem: string): readonly X509Certificate[] | undefined {
  try {
    return pem.match(PEM_CERTIFICATE)?.map(block => new X509Certificate(block));
  } catch {
    // Told as a refusal by the caller, who knows where it stands.
    return undefined;
  }
}

const pemOf = (certificates: readonly X509Certificate[]): string => certificates.map(one => one.toString()).join('');
