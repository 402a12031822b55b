import type { Readable } from 'node:stream';
import type { Exchange } from './exchange.ts';
import type { RawHeaders } from './headers.ts';

export interface Decoration {
  /** In place of the request's headers. */
  readonly headers?: RawHeaders;
  /** In place of the request's body. */
  readonly body?: Readable;
  /** The headers of whatever response is sent; asked when it is. */
  readonly responseHeaders?: (headers: RawHeaders) => RawHeaders;
}

/** The exchange, with other headers or another body. */
export function decorated(exchange: Exchange, { headers, body, responseHeaders = given => given }: Decoration): Exchange {
  return {
    httpVersion: exchange.httpVersion,
    method: exchange.method,
    url: exchange.url,
    headers: headers ?? exchange.headers,
    peer: exchange.peer,
    body: body ?? exchange.body,
    startedAt: exchange.startedAt,
    get status() {
      return exchange.status;
    },
    get bytesWritten() {
      return exchange.bytesWritten;
    },
    get closed() {
      return exchange.closed;
    },
    onClose: listener => exchange.onClose(listener),
    writeHead: (status, given) => exchange.writeHead(status, responseHeaders(given)),
    write: chunk => exchange.write(chunk),
    onDrain: listener => exchange.onDrain(listener),
    end: chunk => exchange.end(chunk),
    abort: () => exchange.abort(),
  };
}
