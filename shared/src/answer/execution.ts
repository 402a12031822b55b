import type { Exchange } from '../listener/exchange.ts';
import type { Target } from '../target/target.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Call } from '../view/view.ts';
import type { Drain } from './drain.ts';
import type { Vacancies } from './vacancies.ts';

/** What the executors of answers work with. */
export interface Execution {
  readonly exchange: Exchange;
  /** The one that the plan names, or the local one. */
  readonly shard: Upstream;
  readonly drain: Drain;
  readonly vacancies: Vacancies;
  readonly call: Call;
  /** The target below the view's prefix. */
  readonly rest: Target;
}
