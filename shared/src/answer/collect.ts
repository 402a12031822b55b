import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { internalError } from '../kube/errors.ts';
import { parseExact } from '../kube/json-exact.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, type RawHeaders, withoutHeaders } from '../listener/headers.ts';
import { type Upstream, UpstreamError, type UpstreamRequest } from '../upstream/upstream.ts';
import { acceptsGzip, COMPRESSED_FROM, gzipOfAnswer, inGzip } from './compression.ts';
import { credentialsRefused, redirected } from './upstream-failures.ts';

export interface CollectedResponse {
  readonly status: number;
  readonly headers: RawHeaders;
  /** Decoded: never compressed. */
  readonly body: Buffer;
}

/** The largest answer that is taken into memory, bytes on the wire. A wildcard list of 50,000 logical clusters is about 100 MB. */
const MAX_COLLECTED_BYTES = 256 * 1024 * 1024;
const inflate = promisify(gunzip);

/**
 * A whole response in memory, for answers that have to be looked into. Ends with the client: when it leaves, the upstream call is
 * dropped and the promise rejects with a `reset`.
 */
export async function collect(exchange: Exchange, upstream: Upstream, request: UpstreamRequest): Promise<CollectedResponse> {
  const raw = await receive(exchange, upstream, request);
  if (raw.status === 401) throw credentialsRefused(upstream);
  if (raw.status >= 300 && raw.status < 400 && headerValue(raw.headers, 'location') !== undefined) throw redirected(upstream);
  if (headerValue(raw.headers, 'content-encoding') !== 'gzip') return raw;
  return { ...raw, body: await inflate(raw.body) };
}

function receive(exchange: Exchange, upstream: Upstream, request: UpstreamRequest): Promise<CollectedResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let status = 0;
    let headers: RawHeaders = [];
    const call = upstream.dispatch(request, {
      onHead(code, head) {
        status = code;
        headers = head;
      },
      onData(chunk) {
        size += chunk.length;
        if (size > MAX_COLLECTED_BYTES) {
          call.abort();
          reject(new UpstreamError('reset', `${upstream.name} answered with more than ${MAX_COLLECTED_BYTES} bytes`));
          return false;
        }
        chunks.push(chunk);
        return true;
      },
      onEnd() {
        underWay.drop = undefined;
        resolve({ status, headers, body: Buffer.concat(chunks, size) });
      },
      onError: reject,
    });
    const underWay: UnderWay = {
      drop() {
        call.abort();
        reject(new UpstreamError('reset', 'the client left'));
      },
    };
    exchange.onClose(dropping(underWay));
  });
}

interface UnderWay {
  drop: (() => void) | undefined;
}

/** An exchange keeps its listeners, and one may ask thousands of times: no answer is kept with them. */
const dropping = (underWay: UnderWay) => () => underWay.drop?.();

/** An object to be printed again: its numbers keep their digits. */
export function parseObject(body: Buffer, upstream: Upstream): KubeObject {
  return parseWith(parseExact, body, upstream);
}

/**
 * An object of which only metadata will be printed. It may be as deep as anybody has stored one: `parseExact` does not take it deeper than
 * some 2,500 levels, and one consumer's object would be everybody's 500.
 */
export function parseMetadata(body: Buffer, upstream: Upstream): KubeObject {
  return parseWith(text => JSON.parse(text) as unknown, body, upstream);
}

function parseWith(parse: (text: string) => unknown, body: Buffer, upstream: Upstream): KubeObject {
  try {
    return parse(body.toString()) as KubeObject;
  } catch (cause) {
    throw internalError(`${upstream.name} answered with something that is not JSON`, cause);
  }
}

/** An error of the shard is the caller's answer as it is. */
export function sendCollected(exchange: Exchange, { status, headers, body }: CollectedResponse): void {
  send(exchange, { status, headers: ofPlainBody(headers), body });
}

/** Of what may be large: compressed then, where the caller takes that. */
export async function sendCompressed(exchange: Exchange, response: CollectedResponse): Promise<void> {
  const { status, headers, body } = response;
  if (body.length < COMPRESSED_FROM || !acceptsGzip(exchange.headers)) return sendCollected(exchange, response);
  const made = await gzipOfAnswer(body);
  if (!exchange.closed) send(exchange, { status, headers: inGzip(ofPlainBody(headers)), body: made });
}

const ofPlainBody = (headers: RawHeaders): string[] =>
  withoutHeaders(headers, name => name === 'content-length' || name === 'content-encoding');

function send(exchange: Exchange, { status, headers, body }: CollectedResponse): void {
  exchange.writeHead(status, [...headers, 'content-length', String(body.length)]);
  exchange.end(body);
}
