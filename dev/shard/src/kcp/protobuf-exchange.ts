import { Readable } from 'node:stream';
import { JSON_MEDIA_TYPE, negotiate, PROTOBUF_MEDIA_TYPE } from '@kcp-vw/shared/kube/media-type.ts';
import { decorated } from '@kcp-vw/shared/listener/decorated-exchange.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { headerValue, headerValues, type RawHeaders, withoutHeaders } from '@kcp-vw/shared/listener/headers.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import { type ResourceDefinition, storedApiVersion } from '../store/definition.ts';
import { decodeObject, encodeObject, type JsonObject } from './protobuf-codec.ts';
import { schemaOf } from './protobuf-schemas.ts';
import { withProtobufEvents } from './protobuf-watch.ts';

/**
 * The exchange as one that speaks JSON, where the client speaks protobuf and the resource is one of Kubernetes' own: kubectl does so, and
 * Go's informers. Throws a StatusError 400 for a malformed body.
 */
export async function withoutProtobuf(
  exchange: Exchange,
  definition: ResourceDefinition | undefined,
  { verb }: Pick<RequestInfo, 'verb'>,
): Promise<Exchange> {
  if (definition === undefined || definition.custom) return exchange;
  if (schemaOf(storedApiVersion(definition), definition.kind) === undefined) return exchange;
  const asked = await withJsonBody(exchange);
  if (!wantsProtobuf(asked.headers)) return asked;
  return verb === 'watch' ? withProtobufEvents(askingForJson(asked)) : withProtobufAnswer(askingForJson(asked));
}

function wantsProtobuf(headers: RawHeaders): boolean {
  const accept = headerValues(headers, 'accept').join(',');
  if (!accept.includes(PROTOBUF_MEDIA_TYPE) || accept.includes('as=')) return false;
  const offers = [{ mediaType: PROTOBUF_MEDIA_TYPE }, { mediaType: JSON_MEDIA_TYPE }];
  return negotiate(accept, offers).mediaType === PROTOBUF_MEDIA_TYPE;
}

async function withJsonBody(exchange: Exchange): Promise<Exchange> {
  const type = headerValue(exchange.headers, 'content-type') ?? '';
  if (exchange.body === null || !type.startsWith(PROTOBUF_MEDIA_TYPE)) return exchange;
  const chunks: Buffer[] = [];
  for await (const chunk of exchange.body) chunks.push(Buffer.from(chunk as Uint8Array));
  const body = Buffer.concat(chunks);
  // A deletion without options has a body of nothing.
  const object = body.length === 0 ? {} : decodeObject(body);
  const text = object === undefined ? body : Buffer.from(JSON.stringify(object));
  const headers = withoutHeaders(exchange.headers, name => name === 'content-type' || name === 'content-length');
  return decorated(exchange, {
    headers: [...headers, 'content-type', object === undefined ? type : JSON_MEDIA_TYPE],
    body: Readable.from([text]),
  });
}

function askingForJson(exchange: Exchange): Exchange {
  const asked = withoutHeaders(exchange.headers, name => name === 'accept' || name === 'accept-encoding');
  return decorated(exchange, { headers: [...asked, 'accept', JSON_MEDIA_TYPE] });
}

/** The answer is whole before it is translated: a list's length comes first. */
function withProtobufAnswer(exchange: Exchange): Exchange {
  const chunks: Buffer[] = [];
  let status = 0;
  let headers: RawHeaders = [];
  const finish = (): void => {
    const text = Buffer.concat(chunks);
    const translated = encodeObject(JSON.parse(text.toString()) as JsonObject);
    const body = translated ?? text;
    exchange.writeHead(status, [
      ...withoutHeaders(headers, name => name === 'content-type' || name === 'content-length'),
      ...['content-type', translated ? PROTOBUF_MEDIA_TYPE : JSON_MEDIA_TYPE, 'content-length', String(body.length)],
    ]);
    exchange.end(body);
  };
  return {
    ...exchange,
    // Methods of a class, which spreading leaves behind.
    onClose: listener => exchange.onClose(listener),
    onDrain: listener => exchange.onDrain(listener),
    abort: () => exchange.abort(),
    get status() {
      return status;
    },
    get closed() {
      return exchange.closed;
    },
    get bytesWritten() {
      return exchange.bytesWritten;
    },
    writeHead(given, all) {
      status = given;
      headers = all;
    },
    write(chunk) {
      chunks.push(Buffer.from(chunk));
      return true;
    },
    end(chunk) {
      if (chunk !== undefined) chunks.push(Buffer.from(chunk));
      finish();
    },
  };
}
