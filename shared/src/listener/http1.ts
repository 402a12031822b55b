import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { FRAMES_PROTOCOL } from '../frames/frame.ts';
import { badRequest, headersTooLarge, type StatusError, serviceUnavailable, tooLarge } from '../kube/errors.ts';
import { RequestBody } from './body.ts';
import type { Http1Connection } from './connections.ts';
import type { UpgradeProtocol } from './exchange.ts';
import { Http1Exchange } from './exchange-h1.ts';
import { startFrames } from './frame-session.ts';
import { type Front, handle } from './front.ts';
import { headerValue, headerValues, type RawHeaders, withoutHeaders } from './headers.ts';
import { lingerAfterResponse, refuse, refuseSocket, refuseSocketWith } from './refuse.ts';
import { announcesBody, expectationOf, faultOf } from './request-head.ts';

/** Node's options for HTTP/1.1, over TLS (`allowHTTP1`) and plain alike. */
export function http1Options({ limits, timeouts }: Front): ServerOptions {
  return {
    insecureHTTPParser: false,
    requireHostHeader: true,
    rejectNonStandardBodyWrites: true,
    maxHeaderSize: limits.requestHeaders,
    headersTimeout: limits.headersTimeout,
    requestTimeout: Math.max(timeouts.request, limits.headersTimeout),
    keepAliveTimeout: timeouts.idle,
    // By default Node looks twice a minute, and a slow client could take twice its time.
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeout),
  };
}

/** Serves HTTP/1.1 on a server made with `http1Options`. */
export function serveHttp1(server: Server | Http2SecureServer, front: Front): void {
  // Node drops headers beyond 2000 without a word, and what frames the body may be among them. `faultOf` counts and refuses.
  Object.assign(server, { maxHeadersCount: 0 });
  // The same parameters as in all of Node's HTTP servers; the types of an HTTP/2 server know the ones of HTTP/2 only.
  const events = server as Server;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => serve(front, request, response);
  events.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', onRequest);
  events.on('upgrade', (request, socket, head) => upgrade(front, request, socket, head));
  events.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    refuseSocket(socket, badRequest('CONNECT is not supported: this is not a forward proxy'));
  });
  events.on('clientError', (error, socket) => clientError(front, error, socket as Socket));
}

function serve(front: Front, request: IncomingMessage, response: ServerResponse): void {
  const { socket, method = '', url = '', rawHeaders } = request;
  const { limits } = front;
  const connection = front.connections.http1(socket);
  // A response that says `connection: close` is the last one, and a client that pipelines without end gets no more of our memory
  // than one that opens HTTP/2 streams.
  if (!connection || connection.isClosing || connection.exchanges.size >= limits.http2Streams) {
    socket.destroy();
    return;
  }
  const hasBody = announcesBody(rawHeaders);
  const fault = faultOf({ httpVersion: request.httpVersion, method, url, headers: rawHeaders, hasBody }, limits);
  const expectation = expectationOf(rawHeaders);
  const isRefused = fault !== undefined || expectation === 'unknown';

  const body =
    hasBody && !isRefused
      ? new RequestBody(request, {
          limit: limits.requestBody,
          ...(expectation === 'continue' && {
            onFirstRead: () => {
              if (!response.headersSent && !exchange.closed) response.writeContinue();
            },
          }),
        })
      : null;
  const exchange: Http1Exchange = new Http1Exchange({
    method,
    url,
    headers: expectation === undefined ? rawHeaders : withoutHeaders(rawHeaders, name => name === 'expect'),
    peer: front.peerOf(socket),
    body,
    request,
    response,
    onError: front.onError,
    channel: {
      offersFrames: front.takesFrames ?? false,
      isLast: () => isRefused || front.isDraining(),
      onLast: () => {
        connection.isClosing = true;
        if (!request.complete) lingerAfterResponse(socket);
      },
    },
  });
  connection.exchanges.add(exchange);
  exchange.onClose(complete => {
    connection.exchanges.delete(exchange);
    // Its head was sent before the drain began, and could not say that it is the last one.
    if (complete && front.isDraining()) socket.destroySoon();
  });

  if (fault) refuse(exchange, fault);
  else if (expectation === 'unknown') expectationFailed(exchange);
  else void handle(front, exchange);
}

/** Kubernetes has no reason for a 417, and Go's server sends it without a body as well. */
function expectationFailed(exchange: Http1Exchange): void {
  exchange.writeHead(417, ['content-length', '0']);
  exchange.end();
}

function upgrade(front: Front, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Node has taken its own listeners off the socket.
  socket.on('error', () => socket.destroy());
  const { method = '', url = '', rawHeaders: headers, httpVersion } = request;
  const connection = front.connections.http1(request.socket);
  // A pipelined upgrade would be answered before, or in the middle of, what was asked first.
  if (!connection || connection.isClosing || connection.exchanges.size > 0) {
    socket.destroy();
    return;
  }
  const hasBody = announcesBody(headers);
  const protocol = upgradeProtocol(headers);
  const fault = faultOf({ httpVersion, method, url, headers, hasBody }, front.limits);
  const mayChange = !(fault || hasBody || front.isDraining());
  if (mayChange && front.takesFrames && headerValue(headers, 'upgrade') === FRAMES_PROTOCOL) {
    startFrames(front, socket, front.peerOf(request.socket), head);
    return;
  }
  if (!mayChange || protocol === undefined || !front.onUpgrade) {
    refuseSocket(socket, fault ?? upgradeFault(protocol, hasBody, front));
    return;
  }
  front.connections.begin();
  socket.once('close', () => front.connections.end());
  const startedAt = performance.now();
  try {
    front.onUpgrade({ method, url, headers, peer: front.peerOf(request.socket), protocol, socket, head, startedAt });
  } catch (error) {
    front.onError(error);
    socket.destroy();
  }
}

/**
 * What is carried, by its name in lower case. Nothing else: h2c would take every later request of the connection past the checks of this one.
 */
const UPGRADE_PROTOCOLS: ReadonlyMap<string, UpgradeProtocol> = new Map([
  ['websocket', 'websocket'],
  ['spdy/3.1', 'SPDY/3.1'],
]);

/** Undefined for several, too: which of them is spoken would be known only to those that speak it. */
function upgradeProtocol(headers: RawHeaders): UpgradeProtocol | undefined {
  const [value = '', ...further] = headerValues(headers, 'upgrade');
  return further.length === 0 ? UPGRADE_PROTOCOLS.get(value.toLowerCase()) : undefined;
}

function upgradeFault(protocol: UpgradeProtocol | undefined, hasBody: boolean, front: Front): StatusError {
  if (protocol === undefined) return badRequest('upgrading to this protocol is not supported');
  if (hasBody) return badRequest('a request to upgrade must not have a body');
  if (front.isDraining()) return serviceUnavailable('the server is shutting down');
  return badRequest(`upgrading to ${protocol} is not supported`);
}

/** What went wrong before there was a request, or in the middle of its body: a parse error, a timeout, a failed TLS handshake. */
function clientError(front: Front, error: NodeJS.ErrnoException, socket: Socket): void {
  const connection = front.connections.http1(socket);
  front.onClientError(error, socket.remoteAddress ?? '');
  // The parser, once in error, repeats it with everything that comes while the connection lingers.
  if (connection?.isClosing && socket.writableEnded && error.code !== 'ECONNRESET') return;
  if (!connection || !socket.writable || error.code === 'ECONNRESET' || !mayAnswer(connection)) {
    socket.destroy();
    return;
  }
  connection.isClosing = true;
  for (const exchange of connection.exchanges) exchange.settle(false);
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseSocketWith(socket, 408);
  else refuseSocket(socket, parseError(error, front));
}

/** The client would take our words for a part of a response that is under way, or for the response to another request. */
const mayAnswer = ({ exchanges }: Http1Connection): boolean =>
  exchanges.size <= 1 && [...exchanges].every(({ status }) => status === 0);

function parseError(error: NodeJS.ErrnoException, { limits }: Front): StatusError {
  if (error.code === 'HPE_HEADER_OVERFLOW') return headersTooLarge(limits.requestHeaders);
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return tooLarge(limits.requestBody);
  return badRequest('the request is not valid HTTP/1.1');
}
