/**
 * The one place that calls http-proxy (docs/adr/0014). The library asks a backend to switch protocols and carries the bytes of both sides;
 * it decides nothing. What it is given is made by us from nothing, and what it does is looked at before a byte of it is sent.
 */
import { Agent, type ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyServer } from 'http-proxy';
import { internalError } from '../kube/errors.ts';
import type { RawHeaders } from '../listener/headers.ts';

export interface ProxiedUpgrade {
  /** Connected to the backend; for this request only. */
  readonly backend: Socket;
  /** The client's side; what the library writes to it begins with a head of its own. */
  readonly client: Duplex;
  readonly method: string;
  /** Origin form. */
  readonly path: string;
  /** All that are sent, but for a content-length of 0. */
  readonly headers: RawHeaders;
}

export interface UpgradeListener {
  /** The backend has answered 101. When this returns the library begins to carry bytes, unless the client's side is destroyed. */
  onSwitched(response: IncomingMessage): void;
  /** The backend has answered with something else. */
  onAnswered(response: IncomingMessage): void;
  /** Nothing came of it. Also called for what breaks later. */
  onFailed(error: Error): void;
}

/** Bytes of a backend's head. */
const MAX_HEAD = 64 * 1024;

/** Sends the request. Whoever calls owns both connections and ends them: the library leaves them open in most cases of failure. */
export function proxyUpgrade(upgrade: ProxiedUpgrade, listener: UpgradeListener): void {
  const { backend, client, method, path, headers } = upgrade;
  const onFailed = (error: Error): void => listener.onFailed(error);
  // One for each: its events name no request.
  const proxy = createProxyServer({});
  proxy.on('error', onFailed);
  let request: ClientRequest | undefined;
  proxy.on('proxyReqWs', sent => {
    request = sent;
    // Before the library's own listeners, which write to the client.
    sent.once('upgrade', response => listener.onSwitched(response));
    sent.once('response', response => listener.onAnswered(response));
  });
  proxy.ws(
    standIn(client, path),
    client,
    Buffer.alloc(0),
    {
      // The connection is there: neither address nor TLS is the library's business.
      target: { protocol: 'http:', host: 'localhost', port: 80 },
      agent: new OneConnection(backend),
      method,
      headers: grouped(headers),
      // The path as it is: the library would have it normalized by a URL parser.
      toProxy: true,
      ssl: { maxHeaderSize: MAX_HEAD, insecureHTTPParser: false },
    },
    onFailed,
  );
  const isAsMeant = request !== undefined && request.method === method && withoutEmptyQuery(path) === request.path;
  if (!isAsMeant) {
    request?.destroy();
    throw internalError('the request to upgrade was not sent as it was meant');
  }
}

/**
 * The request that the library believes to have received: none of the client's. It takes nothing but a WebSocket, and the real method and
 * headers, which may be SPDY's, are options that replace those here.
 */
function standIn(client: Duplex, path: string): IncomingMessage {
  const request = new IncomingMessage(client as Socket);
  request.method = 'GET';
  request.url = path;
  request.headers = { upgrade: 'websocket' };
  request.httpVersion = '1.1';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  return request;
}

/** The library takes headers by name; Node sends a list of values as as many lines. */
function grouped(headers: RawHeaders): Record<string, string | string[]> {
  const byName: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    const known = byName[name];
    if (known === undefined) byName[name] = value;
    else byName[name] = [...(typeof known === 'string' ? [known] : known), value];
  }
  return byName;
}

/** The library drops a question mark that nothing follows. */
const withoutEmptyQuery = (path: string): string => (path.indexOf('?') === path.length - 1 ? path.slice(0, -1) : path);

/** Hands out a connection that is there already, once. */
class OneConnection extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): Socket {
    return this.#socket;
  }
}
