import { createAuthenticator } from '@kcp-vw/shared/authn/authenticate.ts';
import { createTokenReviewer, type TokenReviewer } from '@kcp-vw/shared/authn/token-review.ts';
import { loadKubeconfig, upstreamFor } from '@kcp-vw/shared/config/kubeconfig.ts';
import type { Options } from '@kcp-vw/shared/config/options.ts';
import { createListener, formatListenAddress } from '@kcp-vw/shared/listener/listener.ts';
import { loadServingTls } from '@kcp-vw/shared/listener/tls.ts';
import { createAuditLog } from '@kcp-vw/shared/observe/audit.ts';
import type { Health } from '@kcp-vw/shared/observe/health.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Metrics } from '@kcp-vw/shared/observe/metrics.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { createFront } from './front.ts';
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
  const reviews = await connectReviewer(options, log);
  metrics.observeUpstream('authentication', reviews.upstream);
  const audit = createAuditLog(options.audit, { log, onDropped: lines => metrics.auditDropped(lines) });
  const authenticate = createAuthenticator({ requestHeader: options.requestHeader, tokenReviewer: reviews.reviewer });

  const { clientCAFile, requestHeader } = options;
  const files = {
    ...options.tls,
    ...(clientCAFile && { clientCAFile }),
    ...(requestHeader.clientCAFile && { requestHeaderCAFile: requestHeader.clientCAFile }),
  };
  const tls = loadServingTls(files, {
    onError: err => log.error({ err }, 'a changed certificate file cannot be used; the last good one stays in force'),
  });
  const listener = await createListener({
    address: { host: options.bindAddress, port: options.securePort },
    tls,
    limits: options.limits,
    handler: createFront({ authenticate, router, health, audit, metrics }),
    onError: err => log.error({ err }, 'a request was not handled'),
    onClientError: (err, address) => log.debug({ err, address }, 'a connection was refused'),
  });
  return {
    address: formatListenAddress(listener.address()),
    async drain() {
      await listener.drain();
      tls.close();
      await audit.close();
      await reviews.upstream.close();
    },
  };
}

/** Tokens are reviewed where `--authentication-kubeconfig` says, else in `root` of the shard. Never with in-cluster credentials. */
async function connectReviewer(
  { kubeconfig, context, authenticationKubeconfig, authenticationTokenTTL, limits }: Options,
  log: Logger,
): Promise<{ readonly upstream: ManagedUpstream; readonly reviewer: TokenReviewer }> {
  const file = authenticationKubeconfig ?? kubeconfig;
  const access = await loadKubeconfig(file, authenticationKubeconfig ? {} : { context });
  const upstream = upstreamFor(access, limits, 'token reviewer', {
    onError: err => log.warn({ err, file }, 'a kubeconfig has changed and cannot be used; the last good one stays in force'),
  });
  const reviewer = createTokenReviewer({
    upstream,
    basePath: authenticationKubeconfig ? upstream.basePath : '/clusters/root',
    ...(authenticationTokenTTL !== undefined && { successTTL: authenticationTokenTTL }),
  });
  return { upstream, reviewer };
}
