/** The whole way of an upgrade over real sockets: client, front proxy, service, and a shard that says what a test wants to be said. */
import { join } from 'node:path';
import { createDrain } from '@kcp-vw/shared/answer/drain.ts';
import { createEngine } from '@kcp-vw/shared/answer/engine.ts';
import { forwardedRequestHeaders } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import { sendStatus } from '@kcp-vw/shared/answer/send.ts';
import { createAuthenticator } from '@kcp-vw/shared/authn/authenticate.ts';
import { type DistrustOf, trustFrontProxy } from '@kcp-vw/shared/authn/front-proxy-peer.ts';
import { identity } from '@kcp-vw/shared/authn/identity.ts';
import { callerFromFrontProxy, remoteHeaders } from '@kcp-vw/shared/authn/request-headers.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { toStatusError, unauthorized } from '@kcp-vw/shared/kube/errors.ts';
import { decorated } from '@kcp-vw/shared/listener/decorated-exchange.ts';
import type { Handler } from '@kcp-vw/shared/listener/exchange.ts';
import type { RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import {
  onCleanUp,
  requestHeaderCA,
  serverCA,
  serveTls,
  servingPair,
  temporaryFolder,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import { createListener } from '@kcp-vw/shared/listener/listener.ts';
import { createHealth } from '@kcp-vw/shared/observe/health.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { carry } from '@kcp-vw/shared/tunnel/carry.ts';
import { serveBackend, type Taken } from '@kcp-vw/shared/tunnel/tunnel.fixture.ts';
import { upgradesTo } from '@kcp-vw/shared/tunnel/upgrades.ts';
import { createUpstream, type ManagedUpstream, type UpstreamOptions } from '@kcp-vw/shared/upstream/pool.ts';
import { createApiDocuments } from '@kcp-vw/shared/view/documents.ts';
import { createViewHost } from '@kcp-vw/shared/view/host.ts';
import { RECORD_HEADER, type RequestRecord, readRecordHeader, recordHeader } from '@kcp-vw/shared/view/record.ts';
import { allow, defineView, forward } from '@kcp-vw/shared/view/view.ts';
import { OPEN_DOOR } from './door/door.fixture.ts';
import { createFront, frontMetrics } from './door/front.ts';

export const PATH = '/services/v/clusters/root/api/v1/namespaces/d/pods';
export const TOKEN = 'canary-token-of-alice';
export const SHARD_TOKEN = 'canary-token-of-the-service';

export const HOPS = ['a Unix socket', 'mutual TLS'] as const;

const view = defineView({
  name: 'v',
  path: '/clusters/:cluster',
  apis: () => undefined,
  authorize: () => allow('everybody may'),
  answer: ({ caller }) => forward({ as: caller, because: 'it is forwarded' }),
});

const connect = (options: Omit<UpstreamOptions, 'limits'>): ManagedUpstream => {
  const upstream = createUpstream({ ...options, limits: DEFAULT_LIMITS });
  onCleanUp(() => upstream.close());
  return upstream;
};

export async function serveFleet(hop: (typeof HOPS)[number], onRequest: (taken: Taken, requests: number) => void) {
  /** Everything that any process has written down. */
  const told: unknown[] = [];
  const tell = (what: unknown): void => void told.push(what);
  const pair = servingPair();
  const shard = await serveBackend(onRequest, { cert: pair.certPem, key: pair.keyPem });
  const shardUpstream = connect({
    name: 'shard',
    origin: new URL(`https://localhost:${shard.port}`),
    tls: { ca: serverCA.certPem },
    authorization: () => SHARD_TOKEN,
  });
  const service = await serveService(hop, shardUpstream, tell);

  const audited: Record<string, unknown>[] = [];
  const metrics = frontMetrics();
  onCleanUp(() => metrics.close());
  const handler = createFront({
    ...OPEN_DOOR,
    authenticate: createAuthenticator({
      requestHeader: {
        allowedNames: ['front-proxy'],
        usernameHeaders: ['X-Remote-User'],
        groupHeaders: ['X-Remote-Group'],
        uidHeaders: ['X-Remote-Uid'],
        extraHeaderPrefixes: ['X-Remote-Extra-'],
      },
      tokenReviewer: {
        review: async token => {
          if (token !== TOKEN) throw unauthorized();
          return identity('alice', ['a,b', 'jörg']);
        },
      },
    }),
    router: async (exchange, caller, _target, record) => {
      const head = (_status: number, headers: RawHeaders): RawHeaders => {
        Object.assign(record, readRecordHeader(headers));
        return headers.filter((_, i) => headers[i - (i % 2)] !== RECORD_HEADER);
      };
      const headers = [...forwardedRequestHeaders(exchange), ...remoteHeaders(caller)];
      const request = { method: exchange.method, path: exchange.url, headers, body: exchange.body, longRunning: true };
      await carry(exchange, service, request, { head });
      return 'done';
    },
    health: createHealth(),
    audit: {
      write: ({ exchange, caller, record, complete }) =>
        void audited.push({ code: exchange.status, url: exchange.url, user: caller?.name, ...record, complete }),
      flush: async () => undefined,
      close: async () => undefined,
    },
    metrics,
  });
  const onUpgrade = upgradesTo({ handler, onError: tell, metrics });
  const front = await serveTls(handler, { onUpgrade, onError: tell, onClientError: tell });
  return { port: front.port, taken: shard.taken, audited, told, metrics, upstreams: [service, shardUpstream] };
}

/** A service as it runs behind a front proxy; who is not the front proxy is refused, whatever he asks for. */
async function serveService(
  hop: (typeof HOPS)[number],
  shard: ManagedUpstream,
  tell: (what: unknown) => void,
): Promise<ManagedUpstream> {
  const host = createViewHost({
    views: [view],
    engine: createEngine({ shard, drain: createDrain() }),
    documents: createApiDocuments('host'),
    onError: tell,
  });
  const handlerFor =
    (distrustOf: DistrustOf): Handler =>
    async exchange => {
      const record: RequestRecord = {};
      const described = decorated(exchange, { responseHeaders: headers => [...headers, ...recordHeader(record)] });
      try {
        const refusal = distrustOf(exchange.peer);
        if (refusal) throw refusal;
        await host(described, callerFromFrontProxy(exchange.headers), parseTarget(exchange.url), record);
      } catch (error) {
        sendStatus(described, toStatusError(error));
      }
    };
  if (hop === 'mutual TLS') {
    const handler = handlerFor(trustFrontProxy({ allowedNames: ['front-proxy'] }));
    const { port } = await serveTls(handler, { onUpgrade: upgradesTo({ handler, onError: tell }), onError: tell });
    const { certPem: cert, keyPem: key } = requestHeaderCA.issue({ commonName: 'front-proxy', usage: 'client' });
    return connect({ name: 'service', origin: new URL(`https://localhost:${port}`), tls: { ca: serverCA.certPem, cert, key } });
  }
  const socketPath = join(temporaryFolder(), 'service.sock');
  const handler = handlerFor(() => undefined);
  const listener = await createListener({
    address: { socketPath },
    limits: DEFAULT_LIMITS,
    handler,
    onUpgrade: upgradesTo({ handler, onError: tell }),
    onError: tell,
  });
  onCleanUp(() => listener.close());
  return connect({ name: 'service', origin: { socketPath } });
}
