import type { Exchange } from './exchange.ts';
import type { RawHeaders } from './headers.ts';

/** The exchange, with `extra` headers in whatever response is sent. `extra` is asked when the headers are written. */
export function withResponseHeaders(exchange: Exchange, extra: () => RawHeaders): Exchange {
  return {
    httpVersion: exchange.httpVersion,
    method: exchange.method,
    url: exchange.url,
    headers: exchange.headers,
    peer: exchange.peer,
    body: exchange.body,
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
    writeHead: (status, headers) => exchange.writeHead(status, [...headers, ...extra()]),
    write: chunk => exchange.write(chunk),
    onDrain: listener => exchange.onDrain(listener),
    end: chunk => exchange.end(chunk),
    abort: () => exchange.abort(),
  };
}
