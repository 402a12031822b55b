import type { StatusError } from '../kube/errors.ts';
import type { Exchange } from '../listener/exchange.ts';

/** Answers with a Status. Where the response has begun, it is cut instead: it must not look complete. */
export function sendStatus(exchange: Exchange, error: StatusError): void {
  if (exchange.closed) return;
  if (exchange.status !== 0) {
    exchange.abort();
    return;
  }
  const body = Buffer.from(`${JSON.stringify(error.status)}\n`);
  const retryAfter = error.status.details?.retryAfterSeconds;
  exchange.writeHead(error.code, [
    ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
    'cache-control',
    'no-cache, private',
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
  ]);
  exchange.end(body);
}

/** Answers with plain text. */
export function sendText(exchange: Exchange, code: number, text: string): void {
  if (exchange.closed) return;
  const body = Buffer.from(text);
  exchange.writeHead(code, [
    'content-type',
    'text/plain; charset=utf-8',
    'x-content-type-options',
    'nosniff',
    'content-length',
    String(body.length),
  ]);
  exchange.end(body);
}

/** Answers with an object. */
export function sendJson(exchange: Exchange, code: number, object: unknown, contentType = 'application/json'): void {
  if (exchange.closed) return;
  const body = Buffer.from(JSON.stringify(object));
  exchange.writeHead(code, [
    'cache-control',
    'no-cache, private',
    'content-type',
    contentType,
    'content-length',
    String(body.length),
  ]);
  exchange.end(body);
}
