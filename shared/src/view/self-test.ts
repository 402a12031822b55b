import { sendJson, sendStatus } from '../answer/send.ts';
import type { Caller, Identity } from '../authn/identity.ts';
import { impersonationHeaders } from '../authn/impersonation.ts';
import { requestReview, reviewStatus } from '../authn/review-request.ts';
import { fromUserInfo, toUserInfo, type UserInfo } from '../authn/user-info.ts';
import { internalError, resourceNotServed, toStatusError } from '../kube/errors.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { PROBE, REVIEW_PATH, SELF_TEST_PATH } from './self-test-probe.ts';

/** What a service answers to the front proxy's probe. */
export interface SelfTestAnswer {
  /** The caller as the service has read him. */
  readonly received: UserInfo & { readonly method: Caller['method'] };
  /** The user as the shard has it when the service impersonates that caller; a status when it may not or there is no such review. */
  readonly reviewed: UserInfo | 403 | 404;
}

/** Whether a request that comes from the front proxy is its probe. */
export const isSelfTest = ({ method, url }: Pick<Exchange, 'method' | 'url'>): boolean =>
  method === 'GET' && url === SELF_TEST_PATH;

/**
 * Tells the front proxy who arrives here, and who arrives at the shard from here: an identity that loses a part on the way is another user.
 * Nobody but the probe is answered, so that nothing else can be asked here. Never throws: what fails is answered.
 */
export async function answerSelfTest(exchange: Exchange, caller: Caller, control: Upstream): Promise<void> {
  try {
    if (caller.name !== PROBE.name) throw resourceNotServed();
    const answer: SelfTestAnswer = {
      received: { ...toUserInfo(caller), method: caller.method },
      reviewed: await review(caller, control),
    };
    sendJson(exchange, 200, answer);
  } catch (error) {
    sendStatus(exchange, toStatusError(error));
  }
}

/** The caller as the shard sees him, sent as every caller is sent. */
async function review(caller: Identity, upstream: Upstream): Promise<SelfTestAnswer['reviewed']> {
  const body = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
  const response = await requestReview({ upstream, path: REVIEW_PATH, headers: impersonationHeaders(caller), body });
  if (response.status === 403 || response.status === 404) return response.status;
  const user = fromUserInfo(reviewStatus(response)?.userInfo);
  if (!user) throw internalError(`the shard answered ${response.status} without a user to the review of the self-test`);
  return toUserInfo(user);
}
