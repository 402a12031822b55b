import type { StatusError } from '../kube/errors.ts';
import { JSON_MEDIA_TYPE, YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import { printYaml } from '../kube/yaml-print.ts';
import type { Exchange } from '../listener/exchange.ts';
import { type CollectedResponse, sendCollected, sendCompressed } from './collect.ts';

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

/** Answers with an object, in YAML where that is the content type, else in JSON. */
export function sendObject(exchange: Exchange, code: number, object: unknown, contentType = JSON_MEDIA_TYPE): void {
  if (!exchange.closed) sendCollected(exchange, printed(code, object, contentType));
}

/** Answers with one that may be large: compressed then, where the caller takes that. */
export async function sendLargeObject(exchange: Exchange, code: number, object: unknown, contentType: string): Promise<void> {
  if (!exchange.closed) await sendCompressed(exchange, printed(code, object, contentType));
}

/** Answers with an object. */
export const sendJson = (exchange: Exchange, code: number, object: unknown): void => sendObject(exchange, code, object);

const printed = (status: number, object: unknown, contentType: string): CollectedResponse => ({
  status,
  headers: ['cache-control', 'no-cache, private', 'content-type', contentType],
  body: Buffer.from(contentType === YAML_MEDIA_TYPE ? printYaml(object) : JSON.stringify(object)),
});
