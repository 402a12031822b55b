/** The types of error that kcp's front proxy tells apart. */
export type TlsErrorType = 'unknown_ca' | 'expired_cert' | 'cipher_mismatch' | 'hostname_mismatch' | 'other';

/** What Node says when it does not like a server's certificate. */
const VERIFICATION: Readonly<Record<string, TlsErrorType>> = {
  CERT_HAS_EXPIRED: 'expired_cert',
  ERR_TLS_CERT_ALTNAME_INVALID: 'hostname_mismatch',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown_ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown_ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown_ca',
  CERT_NOT_YET_VALID: 'other',
  CERT_REVOKED: 'other',
  CERT_UNTRUSTED: 'other',
  CERT_REJECTED: 'other',
  CERT_SIGNATURE_FAILURE: 'other',
  HOSTNAME_MISMATCH: 'hostname_mismatch',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'other',
};

/** In the codes of OpenSSL's errors. The other side tells with an alert what it does not like; Go's clients say `bad certificate` for all of it. */
const OPENSSL: readonly (readonly [RegExp, TlsErrorType])[] = [
  [/UNKNOWN_CA$/, 'unknown_ca'],
  [/CERTIFICATE_EXPIRED$/, 'expired_cert'],
  [/NO_SHARED|UNSUPPORTED_PROTOCOL|VERSION|CIPHER|HANDSHAKE_FAILURE$|HTTP_REQUEST$|NO_SUITABLE/, 'cipher_mismatch'],
  [/UNRECOGNIZED_NAME$/, 'hostname_mismatch'],
];

const MAX_CAUSES = 5;

/** What kind of TLS error this or one of its causes is; undefined if none is one. */
export function tlsErrorType(error: unknown): TlsErrorType | undefined {
  let at = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof at === 'object' && at !== null; depth++) {
    const { code, cause } = at as NodeJS.ErrnoException;
    at = cause;
    if (typeof code !== 'string') continue;
    if (Object.hasOwn(VERIFICATION, code)) return VERIFICATION[code];
    if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
      return OPENSSL.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
    }
  }
  return undefined;
}
