import { badGateway, gatewayTimeout, StatusError, serviceUnavailable, tooManyRequests } from '../kube/errors.ts';
import type { Upstream, UpstreamError } from '../upstream/upstream.ts';

/** Why an upstream gave no answer, as the client is told: the upstream by its name, the rest is for our logs, in `cause`. */
export function statusOf(error: UpstreamError, { name }: Pick<Upstream, 'name'>): StatusError {
  // The request body failed, not the upstream: too large, for one.
  if (error.cause instanceof StatusError) return error.cause;
  switch (error.failure) {
    case 'unreachable':
      return serviceUnavailable(`${name} cannot be reached`, 1, error);
    case 'untrusted':
      return badGateway(`${name} could not be verified`, error);
    case 'reset':
      return badGateway(`${name} broke the connection before it had answered`, error);
    case 'timeout':
      return gatewayTimeout(`${name} did not answer in time`, error);
    case 'busy':
      return tooManyRequests(`too many requests to ${name} are open, please try again later`);
  }
}

/** A 401 from behind speaks of our credentials. Passed on, it would make the client throw away its own. */
export const credentialsRefused = ({ name }: Pick<Upstream, 'name'>): StatusError =>
  badGateway(`${name} does not accept the credentials of this server`);

/** CVE-2022-3172: a redirect would send the client, with its credentials, where the upstream likes. */
export const redirected = ({ name }: Pick<Upstream, 'name'>): StatusError =>
  badGateway(`${name} answered with a redirect, which is not followed`);
