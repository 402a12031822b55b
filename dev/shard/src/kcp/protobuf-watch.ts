import { PROTOBUF_MEDIA_TYPE } from '@kcp-vw/shared/kube/media-type.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { withoutHeaders } from '@kcp-vw/shared/listener/headers.ts';
import { encodeWatchEvent, type JsonObject } from './protobuf-codec.ts';

/** Events are told apart by their length, four bytes before each (`LengthDelimitedFramer` of k8s.io/apimachinery). */
const LENGTH_BYTES = 4;

/** The exchange of a watch whose events, lines of JSON, reach the client as frames of protobuf. */
export function withProtobufEvents(exchange: Exchange): Exchange {
  let isStream = true;
  let rest = '';
  const framed = (chunk: Uint8Array | string): Buffer => {
    if (!isStream) return Buffer.from(chunk);
    const lines = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).split('\n');
    rest = lines.pop() ?? '';
    return Buffer.concat(lines.filter(line => line !== '').map(frame));
  };
  return {
    ...exchange,
    // Methods of a class, which spreading leaves behind.
    onClose: listener => exchange.onClose(listener),
    onDrain: listener => exchange.onDrain(listener),
    abort: () => exchange.abort(),
    get status() {
      return exchange.status;
    },
    get closed() {
      return exchange.closed;
    },
    get bytesWritten() {
      return exchange.bytesWritten;
    },
    writeHead(status, headers) {
      // A refusal is one Status, and no stream.
      isStream = status === 200;
      const type = ['content-type', `${PROTOBUF_MEDIA_TYPE};stream=watch`];
      exchange.writeHead(status, isStream ? [...withoutHeaders(headers, name => name === 'content-type'), ...type] : headers);
    },
    write: chunk => exchange.write(framed(chunk)),
    end: chunk => (chunk === undefined ? exchange.end() : exchange.end(framed(chunk))),
  };
}

function frame(line: string): Buffer {
  const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
  const event = encodeWatchEvent(type, object);
  if (event === undefined) throw new Error(`an event of ${String(object.kind)} has no form in protobuf`);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}
