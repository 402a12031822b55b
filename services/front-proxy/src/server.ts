import { connectAuthentication } from '@kcp-vw/shared/authn/connect.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { createListener, formatListenAddress } from '@kcp-vw/shared/listener/listener.ts';
import { loadServingTls } from '@kcp-vw/shared/listener/tls.ts';
import { createAuditLog } from '@kcp-vw/shared/observe/audit.ts';
import type { Health } from '@kcp-vw/shared/observe/health.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import { upgradesTo } from '@kcp-vw/shared/tunnel/upgrades.ts';
import { createClientLimiter } from './door/client-limits.ts';
import { createFront } from './door/front.ts';
import { createForgeryCheck } from './door/header-forgery.ts';
import { createShardOf, shardPorts } from './door/shard-of.ts';
import type { Router } from './router.ts';

export interface FrontProxyEnvironment {
  readonly options: Options;
  readonly router: Router;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

export interface FrontProxy {
  /** `host:port`. */
  readonly address: string;
  /** Lets running requests end, then stops. */
  drain(): Promise<void>;
}

/** Opens the public port. Rejects with an Error that names what cannot be used: a file, or the address. */
export async function startFrontProxy({ options, router, log, metrics, health }: FrontProxyEnvironment): Promise<FrontProxy> {
  const authentication = await connectAuthentication(options, {
    onError: err => log.warn({ err }, 'something that callers are known by cannot be used; what was in force before stays so'),
  });
  if (authentication.reviewer) metrics.observeUpstream('authentication', authentication.reviewer);
  const audit = createAuditLog(options.audit, { log, onDropped: lines => metrics.auditDropped(lines) });

  const { clientCAFile, requestHeader } = options;
  const files = {
    ...options.tls,
    ...(clientCAFile && { clientCAFile }),
    ...(requestHeader.clientCAFile && { requestHeaderCAFile: requestHeader.clientCAFile }),
  };
  const tls = loadServingTls(files, {
    onError: err => log.error({ err }, 'a changed certificate file cannot be used; the last good one stays in force'),
  });
  const onError = (err: unknown): void => log.error({ err }, 'a request was not handled');
  const handler = createFront({
    authenticate: authentication.authenticate,
    router,
    health,
    audit,
    metrics,
    shardOf: createShardOf(options),
    limits: createClientLimiter(options.clientLimits),
    isForged: createForgeryCheck(options.requestHeader),
  });
  const listener = await createListener({
    address: { host: options.bindAddress, port: options.securePort },
    tls,
    limits: options.limits,
    furtherPorts: shardPorts(options),
    handler,
    onUpgrade: upgradesTo({ handler, metrics, onError }),
    onError,
    onClientError(err, address) {
      metrics.connectionFailed(err);
      log.debug({ err, address }, 'a connection was refused');
    },
  });
  return {
    address: formatListenAddress(listener.address()),
    async drain() {
      await listener.drain();
      tls.close();
      await audit.close();
      await authentication.close();
    },
  };
}
