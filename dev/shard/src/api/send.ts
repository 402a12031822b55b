import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValues } from '@kcp-vw/shared/listener/headers.ts';

const compress = promisify(gzip);

/** Smaller answers are not compressed (`defaultGzipThresholdBytes`). */
const GZIP_THRESHOLD_BYTES = 128 * 1024;
/** Bytes handed to the client's connection at a time. */
const CHUNK_BYTES = 256 * 1024;

/** Answers with a whole body, compressed where that pays and the client takes it, no faster than it reads. */
export async function sendBody(
  exchange: Exchange,
  code: number,
  mediaType: string,
  body: Buffer,
  headers: readonly string[] = [],
): Promise<void> {
  const isLarge = body.length > GZIP_THRESHOLD_BYTES;
  const isGzip = isLarge && exchange.method === 'GET' && takesGzip(exchange);
  const payload = isGzip ? await compress(body, { level: constants.Z_BEST_SPEED }) : body;
  const head = [
    'cache-control',
    'no-cache, private',
    'content-type',
    mediaType,
    'content-length',
    String(payload.length),
    ...headers,
  ];
  if (exchange.closed) return;
  exchange.writeHead(code, [
    ...head,
    ...(isLarge ? ['vary', 'Accept-Encoding'] : []),
    ...(isGzip ? ['content-encoding', 'gzip'] : []),
  ]);
  await write(exchange, payload);
}

const takesGzip = ({ headers }: Exchange): boolean =>
  headerValues(headers, 'accept-encoding')
    .flatMap(value => value.split(','))
    .some(coding => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$))?/i.test(coding) && !/;\s*q=0(\.0*)?\s*$/.test(coding));

function write(exchange: Exchange, payload: Buffer): Promise<void> {
  return new Promise(resolve => {
    let at = 0;
    let isWritten = false;
    const writeOn = (): void => {
      if (isWritten) return;
      while (!exchange.closed && at + CHUNK_BYTES < payload.length) {
        const chunk = payload.subarray(at, at + CHUNK_BYTES);
        at += CHUNK_BYTES;
        if (!exchange.write(chunk)) return;
      }
      isWritten = true;
      exchange.end(payload.subarray(at));
    };
    exchange.onClose(() => resolve());
    exchange.onDrain(writeOn);
    writeOn();
  });
}
