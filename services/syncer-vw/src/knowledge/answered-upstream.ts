import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

/** `upstream`, of whose answers somebody is told the status, after who has asked was told. */
export const answeredUpstream = (upstream: Upstream, onAnswer: (status: number) => void): Upstream => ({
  name: upstream.name,
  stats: () => upstream.stats(),
  close: () => upstream.close(),
  dispatch: (request, handler) =>
    upstream.dispatch(request, {
      onHead(status, headers) {
        handler.onHead(status, headers);
        onAnswer(status);
      },
      onData: chunk => handler.onData(chunk),
      onEnd: () => handler.onEnd(),
      onError: error => handler.onError(error),
    }),
});
