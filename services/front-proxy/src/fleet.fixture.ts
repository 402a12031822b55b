/** A public port before services on Unix sockets, with everything in between: listener, front, router, backends. */
import { join } from 'node:path';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createAuthenticator } from '@kcp-vw/shared/authn/authenticate.ts';
import { fakeReviewer } from '@kcp-vw/shared/authn/fake-reviewer.ts';
import { createTokenReviewer } from '@kcp-vw/shared/authn/token-review.ts';
import { parseFlags } from '@kcp-vw/shared/config/flags.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import type { Handler } from '@kcp-vw/shared/listener/exchange.ts';
import {
  onCleanUp,
  type Served,
  type ServeOptions,
  serveTls,
  temporaryFolder,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import { createListener } from '@kcp-vw/shared/listener/listener.ts';
import type { AuditEntry } from '@kcp-vw/shared/observe/audit.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import type { SocketAddress } from './addresses/addresses.ts';
import { createBackends } from './backends/backends.ts';
import { OPEN_DOOR } from './door/door.fixture.ts';
import { createFront, type FrontOptions, frontMetrics } from './door/front.ts';
import { createRouter } from './router.ts';

/** A service that answers with `handler`; for a shard, or for any. */
export async function startService(handler: Handler, shard?: string): Promise<SocketAddress> {
  const socketPath = join(temporaryFolder(), 's');
  const listener = await createListener({
    address: { socketPath },
    limits: DEFAULT_LIMITS,
    handler,
    onError: error => {
      throw error;
    },
  });
  onCleanUp(() => listener.close());
  return { service: 'a-vw', instance: socketPath, ...(shard !== undefined && { shard }), socketPath };
}

/**
 * The public port for services that serve one view. A token is its user's name, which a reviewer needs some time to find out;
 * request headers are believed of `front-proxy`.
 */
export async function startFront(
  addresses: readonly SocketAddress[],
  options: Partial<FrontOptions> = {},
  served: ServeOptions = {},
  view = 'a',
): Promise<Served & { readonly audited: AuditEntry[] }> {
  const backends = createBackends({
    source: {
      addressesOf: asked => (asked === view ? addresses : undefined),
      views: () => [view],
      onChange: () => () => undefined,
      close: () => undefined,
    },
    limits: DEFAULT_LIMITS,
    onError: error => {
      throw error;
    },
  });
  onCleanUp(() => backends.close());
  const reviewer = fakeReviewer(({ token }) => ({
    code: 201,
    body: { status: { authenticated: true, user: { username: token, groups: [`group of ${token}`] } } },
  }));
  const audited: AuditEntry[] = [];
  const front = createFront({
    ...OPEN_DOOR,
    authenticate: createAuthenticator({
      requestHeader: { ...parseFlags(['--kubeconfig=x']).requestHeader, allowedNames: ['front-proxy'] },
      tokenReviewer: createTokenReviewer({ upstream: reviewer, basePath: '' }),
    }),
    router: createRouter(backends, createDrain()),
    health: createHealth(),
    audit: { write: entry => audited.push(entry), flush: async () => undefined, close: async () => undefined },
    metrics: frontMetrics(),
    ...options,
  });
  return { ...(await serveTls(front, served)), audited };
}
