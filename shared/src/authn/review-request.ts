import { serviceUnavailable } from '../kube/errors.ts';
import { headerValue, type RawHeaders } from '../listener/headers.ts';
import { type JsonResponse, requestJson } from '../upstream/json.ts';
import { type Upstream, UpstreamError, type UpstreamFailure } from '../upstream/upstream.ts';

/** As long as Kubernetes' webhooks wait. */
const TIMEOUT = 10_000;

/** For callers: addresses and certificates stay in the cause, which is only logged. */
const BECAUSE: Readonly<Record<UpstreamFailure, string>> = {
  unreachable: 'the reviewer cannot be reached',
  untrusted: "the reviewer's certificate is not trusted",
  reset: 'the reviewer broke off',
  timeout: 'the reviewer did not answer in time',
  busy: 'too many reviews are waiting',
};

export interface ReviewRequest {
  readonly upstream: Upstream;
  readonly path: string;
  readonly headers?: RawHeaders;
  readonly body: { readonly kind: string; readonly apiVersion: string; readonly spec?: unknown };
}

/**
 * Creates a review object. Resolves with the reviewer's answer; throws a StatusError 503 when the review could not be made, so
 * that the client tries again: it says nothing about what was to be reviewed.
 */
export async function requestReview({ upstream, path, body, headers = [] }: ReviewRequest): Promise<JsonResponse<unknown>> {
  const failed = (because: string, retryAfter?: number, cause?: unknown) =>
    serviceUnavailable(`the ${body.kind} could not be made: ${because}`, retryAfter, cause);
  let response: JsonResponse<unknown>;
  try {
    response = await requestJson<unknown>(upstream, { method: 'POST', path, headers, body, timeout: TIMEOUT });
  } catch (cause) {
    if (cause instanceof UpstreamError) throw failed(BECAUSE[cause.failure], 1, cause);
    throw cause;
  }
  if (response.status >= 500 || response.status === 429) {
    throw failed(`the reviewer answered ${response.status}`, retryAfterSeconds(response));
  }
  return response;
}

function retryAfterSeconds({ headers }: JsonResponse<unknown>): number {
  const seconds = Number(headerValue(headers, 'retry-after'));
  return Number.isInteger(seconds) && seconds > 0 ? seconds : 1;
}

/** `status` of a review object that was created; undefined when the answer is no such object. */
export function reviewStatus(response: JsonResponse<unknown>): Readonly<Record<string, unknown>> | undefined {
  const { status: code, body } = response;
  if (code < 200 || code > 299 || typeof body !== 'object' || body === null || !('status' in body)) return undefined;
  const { status } = body;
  return typeof status === 'object' && status !== null ? { ...status } : undefined;
}
