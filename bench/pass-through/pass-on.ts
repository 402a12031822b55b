/** A request passed on as it is, and its answer back: the least that a hop in Node can do, for what our stages add to be seen. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Dispatcher } from 'undici';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** What belongs to a connection and not to the message (RFC 9110 §7.6.1), and the host, which the next hop has of its own. */
const OF_ONE_HOP = new Set(['connection', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect']);

/** The headers that are sent on; names and values alternate. */
export function sentHeaders(raw: readonly (string | Buffer)[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = String(raw[i]).toLowerCase();
    if (!name.startsWith(':') && !OF_ONE_HOP.has(name)) kept.push(name, String(raw[i + 1]));
  }
  return kept;
}

/** Sends the request with those headers, and the answer piece by piece at the client's pace. */
export function passOn(upstream: Dispatcher, request: Request, response: Response, headers: string[]): void {
  let call: Dispatcher.DispatchController | undefined;
  const hasBody = headers.includes('content-length') || 'transfer-encoding' in request.headers;
  response.on('close', () => {
    if (!response.writableFinished) call?.abort(new Error('the client has left'));
  });
  // Over HTTP/2 the types are unions of streams that are written alike.
  const client = response as ServerResponse;
  upstream.dispatch(
    { method: request.method ?? 'GET', path: request.url ?? '/', headers, body: hasBody ? request : null },
    {
      onRequestStart: controller => {
        call = controller;
      },
      onResponseStart: (controller, status) => {
        const { rawHeaders } = controller;
        client.writeHead(status, sentHeaders(Array.isArray(rawHeaders) ? rawHeaders : []));
      },
      onResponseData: (controller, chunk) => {
        if (client.write(chunk)) return;
        controller.pause();
        client.once('drain', () => controller.resume());
      },
      onResponseEnd: () => client.end(),
      onResponseError: (_, error) => {
        if (client.headersSent) client.destroy(error);
        else client.writeHead(502).end(error.message);
      },
    },
  );
}
