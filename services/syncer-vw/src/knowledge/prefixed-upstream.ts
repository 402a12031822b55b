import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';

/**
 * `upstream` below a path. Its connections belong to whoever has made them. Nothing can be upgraded below a path: who writes the head of such a
 * request on a dialled connection does not know of it, and would ask for something else.
 */
export function prefixedUpstream(upstream: Upstream, prefix: string): Upstream {
  const common = {
    name: upstream.name,
    stats: () => upstream.stats(),
    close: () => Promise.resolve(),
  };
  const { dial } = upstream;
  if (prefix === '') {
    return {
      ...common,
      dispatch: (request, handler) => upstream.dispatch(request, handler),
      ...(dial && { dial: (signal: AbortSignal) => dial.call(upstream, signal) }),
    };
  }
  return {
    ...common,
    dispatch(request, handler) {
      // What is no path stays none: the upstream refuses it.
      const path = request.path.startsWith('/') ? prefix + request.path : request.path;
      return upstream.dispatch({ ...request, path }, handler);
    },
  };
}
