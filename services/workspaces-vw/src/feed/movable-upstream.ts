import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';

/** A server that may get another address while it is used. */
export interface MovableUpstream extends Upstream {
  /**
   * From now on requests go to `next`; what is in flight fails. To whoever follows it this is a server that was away: the one that answers now may
   * have other data.
   */
  moveTo(next: ManagedUpstream): Promise<void>;
}

export function movableUpstream(first: ManagedUpstream): MovableUpstream {
  let current = first;
  return {
    name: first.name,
    dispatch(request, handler) {
      const target = current;
      return target.dispatch(request, {
        onHead: (status, headers) => handler.onHead(status, headers),
        onData: chunk => handler.onData(chunk),
        onEnd: () => handler.onEnd(),
        onError: error => handler.onError(target === current ? error : movedError(target.name, error)),
      });
    },
    dial: signal =>
      current.dial?.(signal) ?? Promise.reject(new UpstreamError('unreachable', `${current.name} takes no requests to upgrade`)),
    stats: () => current.stats(),
    async moveTo(next) {
      const old = current;
      current = next;
      await old.close();
    },
    close: () => current.close(),
  };
}

/** Some of the request may have been sent before: it must not be sent again to the new address. */
const movedError = (name: string, cause: UpstreamError): UpstreamError =>
  new UpstreamError('unreachable', `${name} has another address now`, { cause, nothingSent: false });
