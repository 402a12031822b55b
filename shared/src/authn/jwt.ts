import { decodeJwt, decodeProtectedHeader, errors } from 'jose';

/** What a token says of itself before anybody has looked at its signature: good for choosing who is to look, and for nothing else. */
export interface UnverifiedToken {
  readonly issuer: string;
  /** The `kid` of the header; undefined without one. */
  readonly keyID: string | undefined;
}

/** Undefined when the token is no JWT in compact form with an issuer, and so somebody else's. */
export function unverified(token: string): UnverifiedToken | undefined {
  try {
    const { iss: issuer } = decodeJwt(token);
    const { kid } = decodeProtectedHeader(token);
    if (typeof issuer !== 'string' || issuer === '') return undefined;
    return { issuer, keyID: typeof kid === 'string' && kid !== '' ? kid : undefined };
  } catch {
    // Opaque tokens are tokens too: what cannot be read is for another authenticator, and refused when there is none.
    return undefined;
  }
}

/** Whether an error says that a token is not valid, and not that something of ours is wrong. */
export const isTokenFault = (error: unknown): boolean => error instanceof errors.JOSEError;
