/** Test equipment: an upstream that a function answers. */
import { Readable } from 'node:stream';
import type { RawHeaders } from '../listener/headers.ts';
import { type Upstream, UpstreamError, type UpstreamFailure, type UpstreamRequest } from '../upstream/upstream.ts';

export interface FakeResponse {
  readonly status?: number;
  readonly headers?: RawHeaders;
  /** An object is sent as JSON. */
  readonly body?: object | string | Uint8Array;
  /** The response stays open after its body. */
  readonly open?: boolean;
}

/** What was asked, its body in full. */
export type SeenRequest = Omit<UpstreamRequest, 'body'> & { readonly body: string; aborted: boolean };

export interface FakeUpstream extends Upstream {
  readonly requests: SeenRequest[];
}

export function fakeUpstream(answer: (request: SeenRequest, index: number) => FakeResponse | UpstreamFailure): FakeUpstream {
  const requests: SeenRequest[] = [];
  return {
    name: 'https://shard.test',
    requests,
    dispatch(request, handler) {
      const seen: SeenRequest = { ...request, body: '', aborted: false };
      const index = requests.push(seen) - 1;
      const respond = async (): Promise<void> => {
        Object.assign(seen, { body: await textOf(request.body) });
        if (seen.aborted) return;
        const response = answer(seen, index);
        if (typeof response === 'string') {
          handler.onError(new UpstreamError(response, `the fake shard is ${response}`));
          return;
        }
        handler.onHead(response.status ?? 200, response.headers ?? ['content-type', 'application/json']);
        const { body } = response;
        if (body !== undefined) handler.onData(bytesOf(body));
        if (!response.open && !seen.aborted) handler.onEnd();
      };
      setImmediate(respond);
      return {
        resume: () => undefined,
        abort: () => {
          seen.aborted = true;
        },
      };
    },
    stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: 0 }),
    close: () => Promise.resolve(),
  };
}

const bytesOf = (body: object | string | Uint8Array): Uint8Array => {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
};

async function textOf(body: UpstreamRequest['body']): Promise<string> {
  if (!(body instanceof Readable)) return body === null ? '' : Buffer.from(body).toString();
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}
