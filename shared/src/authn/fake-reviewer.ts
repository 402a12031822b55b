import type { Upstream, UpstreamHandler, UpstreamRequest } from '../upstream/upstream.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream/upstream.ts';

/** What a fake reviewer does with a request: answers it, or fails as an upstream fails. */
export type FakeAnswer =
  | { readonly code: number; readonly body: unknown; readonly headers?: readonly string[] }
  | UpstreamFailure;

export interface FakeReviewer extends Upstream {
  /** Path and parsed body of every request so far. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly body: { readonly spec: Record<string, unknown> };
  }[];
}

/** An upstream for tests of authentication and authorization: `answer` is asked for each request, in a later turn. */
export function fakeReviewer(answer: (spec: Record<string, unknown>) => FakeAnswer): FakeReviewer {
  const requests: FakeReviewer['requests'] = [];
  const respond = (handler: UpstreamHandler, given: FakeAnswer): void => {
    if (typeof given === 'string') {
      handler.onError(new UpstreamError(given, `10.0.0.1:6443 failed: ${given}`));
      return;
    }
    handler.onHead(given.code, given.headers ?? []);
    handler.onData(Buffer.from(JSON.stringify(given.body)));
    handler.onEnd();
  };
  return {
    name: 'fake',
    requests,
    dispatch(request: UpstreamRequest, handler: UpstreamHandler) {
      const body = JSON.parse(String(request.body)) as { spec: Record<string, unknown> };
      requests.push({ method: request.method, path: request.path, body });
      setImmediate(() => respond(handler, answer(body.spec)));
      return { resume: () => undefined, abort: () => undefined };
    },
    stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: 0 }),
    close: () => Promise.resolve(),
  };
}
