import { chosenShard } from '@kcp-vw/front-proxy/door/shard-of.ts';
import type { Router } from '@kcp-vw/front-proxy/router.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { RunningService } from '@kcp-vw/shared/view/service.ts';

/** A service of this process, and the shard that it serves if that has a name. */
export interface LocalService {
  readonly shard?: string;
  readonly service: RunningService;
}

/** Routes by view name and shard within this process. Services may come later: until then their views are those that are `expected`, and answer 503. */
export function localRouter(services: readonly LocalService[], expected: readonly string[] = []): Router {
  return async (exchange, caller, target, record, asked) => {
    const view = target.segments[1] ?? '';
    const there = services.filter(({ service }) => service.views.some(({ name }) => name === view));
    if (there.length === 0) {
      if (!expected.includes(view)) return 'unknown';
      throw serviceUnavailable(`${view} is not served yet`);
    }
    const chosen = chosenShard(view, asked, () => there.map(({ shard }) => shard));
    const serving = there.find(({ shard }) => shard === undefined || chosen === undefined || shard === chosen);
    if (serving === undefined) throw serviceUnavailable(`${view} is not served for the shard ${chosen} here`);
    await serving.service.host(exchange, caller, target, record);
    return 'done';
  };
}
