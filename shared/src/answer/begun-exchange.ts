import type { Exchange } from '../listener/exchange.ts';

/**
 * An exchange whose head is sent already, for somebody who would send one. A head that says more than that the stream goes on ends it:
 * whoever asks again is told why.
 */
export function begun(exchange: Exchange): Exchange {
  let status = 0;
  let isOver = false;
  return {
    httpVersion: exchange.httpVersion,
    method: exchange.method,
    url: exchange.url,
    headers: exchange.headers,
    peer: exchange.peer,
    body: exchange.body,
    startedAt: exchange.startedAt,
    get status() {
      return status;
    },
    get bytesWritten() {
      return exchange.bytesWritten;
    },
    get closed() {
      return exchange.closed;
    },
    onClose: listener => exchange.onClose(listener),
    writeHead(code) {
      status = code;
      isOver = code !== 200;
      if (isOver) exchange.end();
    },
    write: chunk => (isOver ? true : exchange.write(chunk)),
    onDrain: listener => exchange.onDrain(listener),
    end(chunk) {
      if (!isOver) exchange.end(chunk);
    },
    abort: () => exchange.abort(),
  };
}
