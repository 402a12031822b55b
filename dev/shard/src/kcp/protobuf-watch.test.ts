import { describe, expect, test } from '@jest/globals';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';
import { decodeObject } from './protobuf-codec.ts';
import { withProtobufEvents } from './protobuf-watch.ts';

/** What reaches the client of a watch. */
function recorded(): { exchange: Exchange; heads: unknown[]; body: () => Buffer } {
  const chunks: Buffer[] = [];
  const heads: unknown[] = [];
  const take = (chunk?: Uint8Array | string): boolean => {
    if (chunk !== undefined) chunks.push(Buffer.from(chunk));
    return true;
  };
  const exchange = {
    writeHead: (status: number, headers: readonly string[]) => heads.push({ status, headers }),
    write: take,
    end: (chunk?: Uint8Array | string) => void take(chunk),
  } as unknown as Exchange;
  return { exchange: withProtobufEvents(exchange), heads, body: () => Buffer.concat(chunks) };
}

const line = (type: string, name: string): string =>
  `${JSON.stringify({ type, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } })}\n`;

/** Frames as a client reads them: a length, then a message whose second field holds a message whose first holds the object. */
function eventsIn(body: Buffer): { type: string; object: unknown }[] {
  const events = [];
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at);
    const message = body.subarray(at + 4, at + 4 + length);
    const typeLength = message[1] ?? 0;
    const type = message.subarray(2, 2 + typeLength).toString();
    events.push({ type, object: decodeObject(message.subarray(message.indexOf('k8s\0'))) });
    at += 4 + length;
  }
  return events;
}

describe('a watch in protobuf', () => {
  test('is a stream of frames, each with its length before it', () => {
    const { exchange, heads, body } = recorded();
    exchange.writeHead(200, ['content-type', 'application/json', 'cache-control', 'no-cache']);
    exchange.write(line('ADDED', 'a'));
    exchange.end(line('DELETED', 'b'));
    expect(heads).toEqual([
      {
        status: 200,
        headers: ['cache-control', 'no-cache', 'content-type', 'application/vnd.kubernetes.protobuf;stream=watch'],
      },
    ]);
    expect(eventsIn(body())).toMatchObject([
      { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'a' } } },
      { type: 'DELETED', object: { metadata: { name: 'b' } } },
    ]);
  });

  test('waits for the rest of a line that comes in pieces', () => {
    const { exchange, body } = recorded();
    exchange.writeHead(200, []);
    const text = line('ADDED', 'ä');
    exchange.write(text.slice(0, 20));
    expect(body()).toHaveLength(0);
    exchange.write(text.slice(20));
    expect(eventsIn(body())).toMatchObject([{ object: { metadata: { name: 'ä' } } }]);
  });

  test('ends with a Status in a frame where the version is too old', () => {
    const { exchange, body } = recorded();
    exchange.writeHead(200, []);
    const status = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', reason: 'Expired', code: 410 };
    exchange.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    expect(eventsIn(body())).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410 } }]);
  });

  test('that is refused is no stream', () => {
    const { exchange, heads, body } = recorded();
    exchange.writeHead(403, ['content-type', 'application/json']);
    exchange.end('{}');
    expect(heads).toEqual([{ status: 403, headers: ['content-type', 'application/json'] }]);
    expect(body().toString()).toBe('{}');
  });
});
