import { forwardedRequestHeaders } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { relay } from '@kcp-vw/shared/answer/relay.ts';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { impersonationHeaders } from '@kcp-vw/shared/authn/impersonation.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import type { Target } from '@kcp-vw/shared/target/target.ts';
import { createUpstream, type ManagedUpstream, type UpstreamCredentials } from '@kcp-vw/shared/upstream/pool.ts';

/** How a shard reaches its virtual workspaces: with its own certificate, which is one of masters. */
export const connectVirtualWorkspaces = (origin: URL, tls: UpstreamCredentials['tls']): ManagedUpstream =>
  createUpstream({ name: 'the virtual workspaces', origin, limits: { watchStreams: 10_000 }, ...(tls && { tls }) });

/** Passes a request below `/services/` on, in the name of its caller and without asking whether he may. */
export async function forwardToVirtualWorkspaces(
  exchange: Exchange,
  target: Target,
  user: Identity,
  upstream: ManagedUpstream,
): Promise<void> {
  const watch = target.query.get('watch');
  await relay(exchange, upstream, {
    method: exchange.method,
    path: exchange.url,
    headers: [...forwardedRequestHeaders(exchange), ...impersonationHeaders(user)],
    body: exchange.body,
    longRunning: watch !== null && watch !== '0' && watch !== 'false',
  });
}
