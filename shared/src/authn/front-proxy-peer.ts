import type { RequestHeaderOptions } from '../config/options.ts';
import { forbiddenBecause, type StatusError, unauthorized } from '../kube/errors.ts';
import type { Peer } from '../listener/exchange.ts';
import { commonName } from './certificate.ts';

/** Why the identity that a connection's requests carry is not to be believed: 401 or 403. Undefined: the front proxy has stamped it. */
export type DistrustOf = (peer: Peer) => StatusError | undefined;

/** A socket in a folder that only our user can enter: nobody else is at the other end. */
export const trustEveryone: DistrustOf = () => undefined;

/**
 * Only a certificate of the requestheader CA with an allowed name is the front proxy, whatever else a request brings: a token or a user's
 * certificate says who someone is, not that he may say who others are. A certificate that is a user's as well is nobody's here: its
 * authority lets users choose their names. Asked for each request, since certificates end and authorities change.
 */
export function trustFrontProxy({ allowedNames }: Pick<RequestHeaderOptions, 'allowedNames'>): DistrustOf {
  return ({ requestHeaderCertificate, clientCertificate }) => {
    if (requestHeaderCertificate === undefined) return unauthorized();
    // An empty list is "anyone" elsewhere; here it is nobody.
    const isFrontProxy = clientCertificate === undefined && allowedNames.includes(commonName(requestHeaderCertificate));
    return isFrontProxy ? undefined : forbiddenBecause('this service takes requests from the front proxy only');
  };
}
