import { eitherUntil } from '../answer/drain.ts';
import type { Execution } from '../answer/execution.ts';
import { sendStatus } from '../answer/send.ts';
import { isLongRunning, upstreamHeaders, upstreamPath } from '../answer/upstream-request.ts';
import { isNotServed } from '../answer/vacancies.ts';
import { acceptedHeaders, isReduced, wildcardMetadata } from '../answer/wildcard-metadata.ts';
import { badRequest, notAcceptable, type StatusError, serviceUnavailable } from '../kube/errors.ts';
import { OBJECT_OFFERS } from '../kube/media-type.ts';
import type { UpgradeProtocol } from '../listener/exchange.ts';
import type { RequestInfo } from '../target/request-info.ts';
import type { Answer, Forward } from '../view/view.ts';
import { tunnel } from './tunnel.ts';

/**
 * Executes an answer to a request to upgrade. What goes through a tunnel is looked at by nobody, so only an answer of which the shard's own
 * bytes are the caller's is executed: all others are refused, whatever they would be over HTTP.
 */
export async function executeUpgrade(execution: Execution, answer: Exclude<Answer, { kind: 'refuse' }>): Promise<void> {
  if (answer.kind !== 'forward') throw badRequest('this resource is not passed on as it is, so that it cannot be upgraded');
  await forwardUpgrade(execution, answer);
}

/** Why a request cannot be upgraded, whoever answers it: an API server would serve it without; undefined: it may be. */
export function notUpgradable(request: RequestInfo, query: URLSearchParams, protocol: UpgradeProtocol): StatusError | undefined {
  if (!isLongRunning(request, query)) {
    return badRequest(
      `only a watch or a connection (exec, attach, portforward, proxy, a followed log) can be upgraded to ${protocol}`,
    );
  }
  // An API server answers others with the events as plain HTTP.
  if (request.verb === 'watch' && protocol !== 'websocket') return badRequest('a watch can be upgraded to websocket only');
  return undefined;
}

async function forwardUpgrade(execution: Execution, plan: Forward): Promise<void> {
  const { exchange, shard, call, rest, drain } = execution;
  const isWatch = call.request.verb === 'watch';
  // A selector holds of a watch's objects, since the shard applies it. A connection to one object could outlive what was checked of it.
  if (!isWatch && (plan.guard || plan.select)) {
    throw badRequest('of this object more has to be checked than can be while it is connected to: it cannot be upgraded');
  }
  // By a GET a WebSocket gets a shell, so that the rules for reads would let it in as the service itself.
  if (!isWatch && plan.as === undefined)
    throw badRequest('connections are made in the name of the caller only: this one cannot be upgraded');
  const { request } = call;
  const outcome = await tunnel(
    exchange,
    shard,
    {
      method: exchange.method,
      path: upstreamPath(call, rest, plan),
      headers: headersOf(execution, plan),
      body: null,
      longRunning: true,
    },
    {
      // A watch is taken up again elsewhere; a shell is not, and has until the end of the drain.
      ...(isWatch ? { until: eitherUntil(plan.until, drain.until) } : plan.until && { until: plan.until }),
      ...(plan.emptyUntilServed && { decline: isNotServed }),
    },
  );
  // Over HTTP the watch would be open on nothing until there is something, in events made here.
  if (outcome.end === 'declined') sendStatus(exchange, serviceUnavailable(`${request.resource} are not served yet`));
}

/** Events that would be made smaller here cannot be: the shard must not be asked for them, and nobody could do it on the way. */
function headersOf(execution: Execution, plan: Forward): string[] {
  const metadata = wildcardMetadata(execution, plan);
  const headers = upstreamHeaders(execution.exchange, plan);
  if (metadata === undefined) return headers;
  if (isReduced(metadata)) throw notAcceptable(OBJECT_OFFERS.map(({ mediaType }) => mediaType));
  return acceptedHeaders(headers, metadata);
}
