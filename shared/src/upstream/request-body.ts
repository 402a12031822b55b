import { Readable } from 'node:stream';

/** The request body failed while it was sent: too large, or its sender left. `cause` is what the body's stream said. */
export class RequestBodyError extends Error {
  override readonly name = 'RequestBodyError';
}

const guarded = new WeakSet<Readable>();

/**
 * The same bytes under a life of their own. HTTP clients destroy a body when its request ends early, and destroying the body of an
 * incoming request takes the client's connection with it: a shard that refuses an upload with 403 before reading it would look like a
 * broken connection. Back-pressure passes through; what is left unread stays with the source.
 */
export function shieldedBody(source: Readable): Readable {
  const shield = new Readable({
    read: () => source.resume(),
    destroy(error, callback) {
      source.off('data', onData).off('end', onEnd).off('close', onClose).off('error', fail);
      callback(error);
    },
  });
  const fail = (cause: unknown): void => {
    shield.destroy(new RequestBodyError('the request body ended before it was complete', { cause }));
  };
  const onData = (chunk: Uint8Array): void => {
    if (!shield.push(chunk)) source.pause();
  };
  const onEnd = (): void => void shield.push(null);
  const onClose = (): void => {
    if (!source.readableEnded) fail(source.errored);
  };
  source.pause();
  // Once per source, and for good: an error of a body that nobody sends any more must not end the process.
  if (!guarded.has(source)) guarded.add(source.on('error', () => undefined));
  source.on('data', onData).on('end', onEnd).on('close', onClose).on('error', fail);
  if (source.readableEnded) shield.push(null);
  else if (source.destroyed) queueMicrotask(onClose);
  // Whoever sends the shield gets its error; this only covers the time when nobody does.
  shield.on('error', () => undefined);
  return shield;
}

/** A request's body as clients take it. An empty one is none: its framing is then the method's, without a stray byte. */
export function sendableBody(
  body: Readable | Uint8Array | string | null,
  contentLength: number | undefined,
): Readable | Uint8Array | null {
  if (body === null || contentLength === 0) return null;
  if (body instanceof Readable) return shieldedBody(body);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return bytes.length === 0 ? null : bytes;
}
