import type { Forward } from '../view/view.ts';
import { requireCustomBody } from './custom-body.ts';
import type { Execution } from './execution.ts';
import { executeGuarded } from './guarded.ts';
import { refuseListOfOne } from './list-of-one.ts';
import { stream } from './stream.ts';
import { executeUntilServed } from './until-served.ts';

/** Takes the request to the shard and its answer back. What the plan does not say to look into passes byte for byte. */
export async function executeForward(execution: Execution, plan: Forward): Promise<void> {
  const { exchange, call } = execution;
  requireCustomBody(execution, plan);
  refuseListOfOne(execution);
  const isRead = exchange.method === 'GET' && (call.request.verb === 'list' || call.request.verb === 'watch');
  if (isRead && plan.emptyUntilServed) return executeUntilServed(execution, plan, plan.emptyUntilServed);
  await executeGuarded(execution, plan, async () => {
    await stream(execution, plan);
  });
}
