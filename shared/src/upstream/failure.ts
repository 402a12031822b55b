import { RequestBodyError } from './request-body.ts';
import { UpstreamError, type UpstreamFailure } from './upstream.ts';

/** OpenSSL's and Node's codes for a certificate that does not verify. */
const CERTIFICATE_CODES = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

const UNSENDABLE = /^(UND_ERR_INVALID_ARG|ERR_INVALID_|ERR_HTTP2_INVALID_|ERR_HTTP2_HEADER_)/;

const SAYS: Record<UpstreamFailure, string> = {
  unreachable: 'cannot be reached',
  untrusted: 'shows a certificate that does not verify',
  reset: 'broke the connection',
  timeout: 'did not answer in time',
  busy: 'has as many requests as it gets from this process',
};

/**
 * A transport's error as one of ours. `begun`: the request was handed to a connection, so some of it may have arrived; before that,
 * provably nothing was sent.
 */
export function upstreamError(name: string, cause: unknown, begun: boolean): UpstreamError {
  if (cause instanceof UpstreamError) return cause;
  if (cause instanceof RequestBodyError) {
    return new UpstreamError('reset', `${name}: ${cause.message}`, { cause: cause.cause, nothingSent: !begun });
  }
  const code = codeOf(cause);
  const failure = classify(code, begun);
  return new UpstreamError(failure, `${name} ${SAYS[failure]}: ${code || describe(cause)}`, { cause, nothingSent: !begun });
}

export const busyError = (name: string): UpstreamError => new UpstreamError('busy', `${name} ${SAYS.busy}`);

export const closedError = (name: string): UpstreamError =>
  new UpstreamError('unreachable', `${name} is not used any more: this process is stopping`);

function classify(code: string, begun: boolean): UpstreamFailure {
  if (TIMEOUT_CODES.has(code)) return 'timeout';
  if (begun) return 'reset';
  if (CERTIFICATE_CODES.has(code)) return 'untrusted';
  // Not the server's fault: this request cannot be written (a control character in a header, say).
  if (UNSENDABLE.test(code)) return 'reset';
  return 'unreachable';
}

/** By shape and not by class: errors also come from other realms, and AggregateErrors from happy eyeballs (one per address tried). */
function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) ? codeOf(errors[0]) : '';
}

function describe(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
