import { INITIAL_EVENTS_END } from '@kcp-vw/shared/kube/objects.ts';
import type { RawHeaders } from '@kcp-vw/shared/listener/headers.ts';
import type { Upstream, UpstreamHandler } from '@kcp-vw/shared/upstream/upstream.ts';

const JSON_TYPE: RawHeaders = ['content-type', 'application/json'];
/** Older than whatever a server has. */
const VERSION = '1';

/**
 * `upstream`, for an informer: a collection that the server does not know (404) is empty. kcp serves the objects of an export on a shard
 * only when somebody there has bound it. Informers keep what they have as long as they cannot read, and here that would be the objects
 * of everybody who has gone.
 */
export function emptyWhereAbsent(upstream: Upstream): Upstream {
  return {
    name: upstream.name,
    stats: () => upstream.stats(),
    close: () => upstream.close(),
    dispatch(request, handler) {
      const query = new URL(request.path, 'http://upstream').searchParams;
      return upstream.dispatch(request, handlerFor(query, handler));
    },
  };
}

function handlerFor(query: URLSearchParams, handler: UpstreamHandler): UpstreamHandler {
  let isAbsent = false;
  return {
    onHead(status, headers) {
      isAbsent = status === 404;
      if (!isAbsent) handler.onHead(status, headers);
    },
    onData: chunk => isAbsent || handler.onData(chunk),
    onEnd() {
      if (isAbsent) {
        const { status, body } = emptyAnswer(query);
        handler.onHead(status, JSON_TYPE);
        handler.onData(Buffer.from(`${JSON.stringify(body)}\n`));
      }
      handler.onEnd();
    },
    onError: error => handler.onError(error),
  };
}

function emptyAnswer(query: URLSearchParams): { readonly status: number; readonly body: object } {
  if (query.get('watch') !== 'true') {
    return { status: 200, body: { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: VERSION }, items: [] } };
  }
  if (query.get('sendInitialEvents') === 'true') {
    const metadata = { resourceVersion: VERSION, annotations: { [INITIAL_EVENTS_END]: 'true' } };
    return { status: 200, body: { type: 'BOOKMARK', object: { metadata } } };
  }
  // What was there is to be read again: it is nothing now.
  return { status: 410, body: { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'it is not there' } };
}
