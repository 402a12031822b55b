import { X509Certificate } from 'node:crypto';

/** What is said about the authorities that certify the endpoints of a view. */
export interface TrustInputs {
  /** `spec.caBundle`: PEM in base64. */
  readonly caBundle?: string | undefined;
  /** PEM of `--services-ca-file`, which counts where there is no bundle. */
  readonly servicesCA?: string | Buffer | undefined;
}

export type Trust = { readonly ca: string } | { readonly refusal: string };

/** `ca`: the endpoint's own word, PEM, which narrows what is believed. */
export type TrustOf = (ca: string | undefined) => Trust;

/**
 * The authorities whose certificates count at an endpoint. The system's never do, and an endpoint cannot add any: whoever writes its entry
 * would otherwise say himself whom to believe. What counts in the view is decoded once, however many endpoints it has.
 */
export function trustIn({ caBundle, servicesCA }: TrustInputs): TrustOf {
  if (caBundle === undefined && servicesCA === undefined) {
    return () => ({ refusal: 'nothing says whose certificates count there: neither spec.caBundle nor --services-ca-file' });
  }
  const source = caBundle === undefined ? '--services-ca-file' : 'spec.caBundle';
  const given = certificatesIn(caBundle === undefined ? String(servicesCA) : Buffer.from(caBundle, 'base64').toString());
  if (given === undefined) return () => ({ refusal: `${source} holds no certificates that can be decoded` });
  const all = { ca: pemOf(given) };
  return ca => {
    if (ca === undefined) return all;
    const own = certificatesIn(ca);
    if (own === undefined) return { refusal: 'its ca holds no certificates that can be decoded' };
    const common = given.filter(({ raw }) => own.some(other => raw.equals(other.raw)));
    return common.length > 0 ? { ca: pemOf(common) } : { refusal: `none of the authorities in its ca is in ${source}` };
  };
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
