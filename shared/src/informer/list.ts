import type { KubeList, KubeObject } from '../kube/objects.ts';
import { requestJson } from '../upstream/json.ts';
import { type Upstream, UpstreamError } from '../upstream/upstream.ts';
import { type Ending, endingOfConnection, endingOfStatus } from './ending.ts';

export interface ListRequest {
  readonly upstream: Upstream;
  /** Without query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly pageSize: number;
  /** For messages. */
  readonly name: string;
  /** Milliseconds for one page. */
  readonly timeout: number;
  /** Called for every item; what it throws ends the list. */
  readonly onItem: (item: KubeObject) => void;
  /** Forget all items: the list begins anew. */
  readonly onRestart: () => void;
}

export type ListResult = { readonly resourceVersion: string } | { readonly failed: Ending };

const GONE = 410;

/** Reads a whole collection in pages, consistently: all pages show the state of the first one's resourceVersion. */
export async function listAll(request: ListRequest): Promise<ListResult> {
  const doing = `listing ${request.name}`;
  let resourceVersion: string | undefined;
  let token = '';
  let paged = request.pageSize > 0;
  for (;;) {
    const query = new URLSearchParams(request.query);
    if (paged) query.set('limit', String(request.pageSize));
    if (token) query.set('continue', token);
    const search = query.toString();
    const path = search ? `${request.path}?${search}` : request.path;

    try {
      const { upstream, timeout } = request;
      const { status, headers, body } = await requestJson<KubeList>(upstream, { method: 'GET', path, timeout });
      if (status === GONE && token !== '') {
        // The snapshot was compacted between two pages. Paging again could lose the race forever: take everything in one piece.
        token = '';
        paged = false;
        resourceVersion = undefined;
        request.onRestart();
        continue;
      }
      if (status !== 200) return { failed: endingOfStatus(doing, body, { code: status, headers }) };
      resourceVersion ??= body.metadata?.resourceVersion;
      if (!resourceVersion) throw new Error('the answer is no list: it has no resourceVersion');
      // Items of built-in types come without their type, events with it: they are stored alike.
      const type = { apiVersion: body.apiVersion, kind: body.kind?.replace(/List$/, '') };
      for (const item of body.items ?? []) request.onItem({ ...type, ...item } as KubeObject);
      token = body.metadata?.continue ?? '';
      if (!token) return { resourceVersion };
    } catch (cause) {
      if (cause instanceof UpstreamError) return { failed: endingOfConnection(doing, cause) };
      const error = new Error(`${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      return { failed: { next: 'relist', error } };
    }
  }
}
