import { type Upstream, UpstreamError } from '../upstream/upstream.ts';

/** `upstream`, whose requests end with `signal`: who waits for an answer is told at once, and the stream is given back. */
export function untilAborted(upstream: Upstream, signal: AbortSignal): Upstream {
  return {
    name: upstream.name,
    stats: () => upstream.stats(),
    close: () => upstream.close(),
    dispatch(request, handler) {
      let over = false;
      const done = (): void => {
        over = true;
        signal.removeEventListener('abort', abort);
      };
      const call = upstream.dispatch(request, {
        onHead: (status, headers) => handler.onHead(status, headers),
        onData: chunk => handler.onData(chunk),
        onEnd() {
          done();
          handler.onEnd();
        },
        onError(error) {
          done();
          handler.onError(error);
        },
      });
      // A function, not a constant: an upstream may fail before it returns.
      function abort(): void {
        done();
        call.abort();
        handler.onError(new UpstreamError('reset', `the request to ${upstream.name} was given up`));
      }
      if (!over) signal.addEventListener('abort', abort);
      return {
        resume: () => call.resume(),
        abort() {
          done();
          call.abort();
        },
      };
    },
  };
}
