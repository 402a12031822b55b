import { toStatusError } from '../kube/errors.ts';
import type { Handler } from '../listener/exchange.ts';
import type { UpgradeRequest } from '../listener/front.ts';
import { refuse, refuseSocket } from '../listener/refuse.ts';
import type { Metrics } from '../observe/metrics.ts';
import { bearerFromSubprotocols } from './subprotocol-bearer.ts';
import { UpgradeExchange } from './upgrade-exchange.ts';
import { upgradeFault } from './upgrade-headers.ts';

export interface UpgradesOptions {
  /** The handler of all other requests, too: nothing is decided twice. */
  readonly handler: Handler;
  /** A bug of ours: the handler has thrown. */
  readonly onError: (error: unknown) => void;
  readonly metrics?: Pick<Metrics, 'upgradeStarted'>;
}

/** For a listener's `onUpgrade`: takes the request to the handler as an exchange with `upgrade`. */
export function upgradesTo(options: UpgradesOptions): (request: UpgradeRequest) => void {
  return request => {
    const exchange = exchangeOf(request, options);
    if (exchange !== undefined) void handle(exchange, options);
  };
}

/** Undefined: it is refused already, as what is malformed. A token among the subprotocols is seen by nobody but the authenticator. */
function exchangeOf(received: UpgradeRequest, { onError, metrics }: UpgradesOptions): UpgradeExchange | undefined {
  const { socket, head, ...request } = received;
  const { protocol } = request;
  try {
    const fault = upgradeFault(protocol, request);
    if (fault) throw fault;
    const headers = protocol === 'websocket' ? bearerFromSubprotocols(request.headers) : request.headers;
    return new UpgradeExchange({ request: { ...request, headers }, socket, head, onError, ...(metrics && { metrics }) });
  } catch (error) {
    refuseSocket(socket, toStatusError(error));
    return undefined;
  }
}

async function handle(exchange: UpgradeExchange, { handler, onError }: UpgradesOptions): Promise<void> {
  try {
    await handler(exchange);
  } catch (error) {
    onError(error);
    if (exchange.status === 0) refuse(exchange, toStatusError(error));
    else exchange.abort();
  }
}
