/** What the mapping file of kcp's front proxy says: paths that lead to other servers than the shards. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { forwardedResponseHeaders } from '@kcp-vw/shared/answer/forwarded-headers.ts';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { remoteHeaders } from '@kcp-vw/shared/authn/request-headers.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, type RawHeaders, withoutHeaders } from '@kcp-vw/shared/listener/headers.ts';
import { connectionNominated, isHopByHop } from '@kcp-vw/shared/upstream/hop-by-hop.ts';

export interface Mapping {
  /** Of this path and all below it; `{cluster}` stands for one segment. */
  readonly path: string;
  /** Only its origin counts: the path stays as it is. */
  readonly backend: URL;
}

/** PEM: what verifies the servers, and the certificate by which they believe what is said of users. */
export interface ProxyTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Where a request goes to. */
export interface MappedTo {
  /** What stands in the place of `{cluster}`, `*` included; undefined: the mapping has none. */
  readonly cluster: string | undefined;
  /** `user`: whom the proxy vouches for. */
  readonly forward: (exchange: Exchange, user: Identity | undefined) => Promise<void>;
}

const PLACEHOLDER = '{cluster}';

/** The mappings of one front proxy, with its connections to their servers. */
export class Mappings {
  readonly #mappings: readonly { readonly segments: readonly string[]; readonly backend: URL }[];
  readonly #agent: Agent;

  constructor(mappings: readonly Mapping[], tls: ProxyTls) {
    this.#mappings = mappings.map(({ path, backend }) => ({ segments: path.split('/').filter(Boolean), backend }));
    this.#agent = new Agent({ keepAlive: true, ...tls });
  }

  /** Undefined: none is about the path, whose segments are given, and which is one of the shards'. */
  find(path: readonly string[]): MappedTo | undefined {
    const found = this.#mappings.find(({ segments }) => segments.every((one, i) => isMeant(one, path[i])));
    if (found === undefined) return undefined;
    const at = found.segments.indexOf(PLACEHOLDER);
    return {
      cluster: at === -1 ? undefined : path[at],
      forward: (exchange, user) => forward(exchange, user, found.backend, this.#agent),
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

const isMeant = (wanted: string, segment: string | undefined): boolean =>
  wanted === PLACEHOLDER ? segment !== undefined && segment !== '' : wanted === segment;

/**
 * Passes a request on as Go's reverse proxy does: all headers but those of the connection, the client's `Authorization` and `Impersonate-*`
 * included. Those that speak of a user are the proxy's alone. Resolves when it is over.
 */
function forward(exchange: Exchange, user: Identity | undefined, backend: URL, agent: Agent): Promise<void> {
  const { hostname, port } = backend;
  const headers = ['host', backend.host, ...passedOn(exchange), ...(user === undefined ? [] : remoteHeaders(user))];
  const outgoing = request({ agent, hostname, port, method: exchange.method, path: exchange.url, headers });
  return new Promise(resolve => {
    exchange.onClose(() => {
      outgoing.destroy();
      resolve();
    });
    outgoing.on('error', () => refuseOrCut(exchange));
    outgoing.on('response', response => pass(exchange, outgoing, response));
    if (exchange.body === null) outgoing.end();
    else exchange.body.once('error', () => outgoing.destroy()).pipe(outgoing);
  });
}

function passedOn({ headers, body, peer }: Exchange): RawHeaders {
  const nominated = connectionNominated(headers);
  const kept = withoutHeaders(
    headers,
    name => isHopByHop(name) || nominated.has(name) || name === 'host' || name.startsWith('x-remote-'),
  );
  const isFramed = body === null || headerValue(kept, 'content-length') !== undefined;
  return [...kept, 'x-forwarded-for', peer.address, ...(isFramed ? [] : ['transfer-encoding', 'chunked'])];
}

function pass(exchange: Exchange, outgoing: ClientRequest, response: IncomingMessage): void {
  if (exchange.closed) return;
  exchange.writeHead(response.statusCode ?? 502, forwardedResponseHeaders(response.rawHeaders));
  exchange.onDrain(() => response.resume());
  response.on('data', (chunk: Buffer) => {
    if (!exchange.closed && !exchange.write(chunk)) response.pause();
  });
  response.on('end', () => exchange.closed || exchange.end());
  response.on('error', () => outgoing.destroy());
  response.on('aborted', () => refuseOrCut(exchange));
}

/** As Go's reverse proxy answers for a server that it cannot reach; what has begun must not look complete. */
function refuseOrCut(exchange: Exchange): void {
  if (exchange.closed) return;
  if (exchange.status !== 0) {
    exchange.abort();
    return;
  }
  exchange.writeHead(502, ['content-length', '0']);
  exchange.end();
}
