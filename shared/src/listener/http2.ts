import type {
  Http2SecureServer,
  IncomingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { RequestBody } from './body.ts';
import { Http2Exchange } from './exchange-h2.ts';
import { type Front, handle, RESETS_OF_A_CLIENT } from './front.ts';
import { type RawHeaders, withoutHeaders } from './headers.ts';
import { refuse } from './refuse.ts';
import { expectationOf, faultOf, MAX_HEADERS, withoutPseudoHeaders } from './request-head.ts';

/** Node's options for HTTP/2. */
export function http2Options({ limits, streamResets = RESETS_OF_A_CLIENT }: Front): SecureServerOptions {
  return {
    settings: {
      maxConcurrentStreams: limits.http2Streams,
      maxHeaderListSize: limits.requestHeaders,
      initialWindowSize: 256 * 1024,
      // nghttp2 ends a connection that sends one header block in more than nine frames (CVE-2024-28182), so that headers up to the
      // limit need larger ones than the default 16 KiB.
      maxFrameSize: 128 * 1024,
    },
    maxHeaderListPairs: MAX_HEADERS,
    // Megabytes. At the default of 10 a session refuses new streams when a few responses wait for their reader.
    maxSessionMemory: 64,
    streamResetBurst: streamResets.burst,
    streamResetRate: streamResets.rate,
  };
}

/** Bytes a client may send on one connection ahead of us, over all streams. */
const CONNECTION_WINDOW = 1024 * 1024;

export function serveHttp2(server: Http2SecureServer, front: Front): void {
  server.on('session', session => prepare(front, session));
  server.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) =>
    serve(front, stream, rawHeaders),
  );
}

function prepare(front: Front, session: ServerHttp2Session): void {
  session.setLocalWindowSize(CONNECTION_WINDOW);
  // A session that has failed has no socket any more to ask for the address.
  const address = session.socket.remoteAddress ?? '';
  session.on('error', error => front.onClientError(error, address));
  let streams = 0;
  let timer: NodeJS.Timeout | undefined;
  // Without a request, whatever frames it sends: a header block that never ends keeps nobody waiting longer either.
  const wait = (): void => {
    timer = setTimeout(() => session.close(), front.timeouts.idle);
    timer.unref();
  };
  wait();
  session.on('stream', stream => {
    clearTimeout(timer);
    streams++;
    stream.once('close', () => {
      if (--streams === 0 && !session.closed) wait();
    });
  });
  session.once('close', () => clearTimeout(timer));
}

function serve(front: Front, stream: ServerHttp2Stream, rawHeaders: RawHeaders): void {
  const { session } = stream;
  if (!session || stream.destroyed || stream.closed) {
    // The client has taken it back before Node told of it. Its code is still to come as an error, which would end the process.
    stream.on('error', () => {});
    return;
  }
  const { limits } = front;
  const all = withoutPseudoHeaders(rawHeaders);
  const method = pseudoHeader(rawHeaders, ':method');
  const url = pseudoHeader(rawHeaders, ':path');
  const hasBody = !stream.endAfterHeaders;
  const fault = faultOf({ httpVersion: '2.0', method, url, headers: all, hasBody }, limits);
  const expectation = expectationOf(all);

  const body = hasBody
    ? new RequestBody(stream, {
        limit: limits.requestBody,
        ...(expectation === 'continue' && { onFirstRead: () => sendContinue(stream) }),
      })
    : null;
  const exchange = new Http2Exchange({
    method,
    url,
    headers: expectation === undefined ? all : withoutHeaders(all, name => name === 'expect'),
    // The session's socket is a stand-in for the TLS socket, and the same one each time.
    peer: front.peerOf(session.socket as TLSSocket),
    body,
    stream,
    onError: front.onError,
  });
  if (body) {
    // A body may be here completely, and wait for somebody to read it.
    const timer = setTimeout(() => stream.state.remoteClose !== 1 && exchange.abort(), front.timeouts.request);
    timer.unref();
    body.once('close', () => clearTimeout(timer));
  }

  if (fault) {
    refuse(exchange, fault);
  } else if (expectation === 'unknown') {
    exchange.writeHead(417, ['content-length', '0']);
    exchange.end();
  } else {
    void handle(front, exchange);
  }
}

/** nghttp2 has seen to it that there is at most one, and which ones there are (RFC 9113 8.3). */
function pseudoHeader(rawHeaders: RawHeaders, name: string): string {
  const index = rawHeaders.indexOf(name);
  return index % 2 === 0 ? (rawHeaders[index + 1] ?? '') : '';
}

function sendContinue(stream: ServerHttp2Stream): void {
  if (!stream.headersSent && !stream.closed) stream.additionalHeaders({ ':status': 100 });
}
