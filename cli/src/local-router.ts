import { chosenShard } from '@kcp-vw/front-proxy/door/shard-of.ts';
import type { Router } from '@kcp-vw/front-proxy/router.ts';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import type { RunningService } from '@kcp-vw/shared/view/service.ts';

/** A service of this process, and the shard that it serves if that has a name. */
export interface LocalService {
  readonly shard?: string;
  readonly service: RunningService;
}

/** Routes by view name and shard within this process. */
export function localRouter(services: readonly LocalService[]): Router {
  const byView = new Map<string, LocalService[]>();
  for (const local of services) {
    for (const { name } of local.service.views) byView.set(name, [...(byView.get(name) ?? []), local]);
  }
  return async (exchange, caller, target, record, asked) => {
    const view = target.segments[1] ?? '';
    const there = byView.get(view);
    if (there === undefined) return 'unknown';
    const chosen = chosenShard(view, asked, () => there.map(({ shard }) => shard));
    const serving = there.find(({ shard }) => shard === undefined || chosen === undefined || shard === chosen);
    if (serving === undefined) throw serviceUnavailable(`${view} is not served for the shard ${chosen} here`);
    await serving.service.host(exchange, caller, target, record);
    return 'done';
  };
}
