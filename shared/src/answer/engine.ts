import type { Exchange } from '../listener/exchange.ts';
import type { Target } from '../target/target.ts';
import { executeUpgrade } from '../tunnel/execute-upgrade.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Answer, Call } from '../view/view.ts';
import { type Drain, eitherUntil } from './drain.ts';
import type { Execution } from './execution.ts';
import { executeForward } from './forward.ts';
import { executeRewrite } from './rewrite.ts';
import { sendStatus, sendText } from './send.ts';
import { serveCollection } from './serve.ts';
import { executeTransform } from './transform.ts';
import { createVacancies, type Vacancies } from './vacancies.ts';

/** Where answers are executed: the one place that knows upstreams and sockets. */
export interface Engine {
  /** `rest` is the target below the view's prefix. Resolves when the response is complete or cut. */
  execute(exchange: Exchange, call: Call, rest: Target, answer: Answer): Promise<void>;
}

export interface EngineOptions {
  /** The local shard, as the service itself. A plan may name another. */
  readonly shard: Upstream;
  readonly drain: Drain;
}

export function createEngine({ shard: local, drain }: EngineOptions): Engine {
  /** As long as the shard is somebody's. */
  const vacanciesOf = new WeakMap<Upstream, Vacancies>();
  const vacanciesAt = (shard: Upstream): Vacancies => {
    const vacancies = vacanciesOf.get(shard) ?? createVacancies(shard);
    vacanciesOf.set(shard, vacancies);
    return vacancies;
  };
  return {
    async execute(exchange, call, rest, answer) {
      const shard = ('shard' in answer ? answer.shard : undefined) ?? local;
      const execution: Execution = { exchange, shard, drain, vacancies: vacanciesAt(shard), call, rest };
      if (exchange.upgrade && answer.kind !== 'refuse') return executeUpgrade(execution, answer);
      switch (answer.kind) {
        case 'forward':
          return executeForward(execution, answer);
        case 'transform':
          return executeTransform(execution, answer);
        case 'rewrite':
          return executeRewrite(execution, answer);
        case 'serve':
          return serveCollection(exchange, call.request, call.query, answer.collection, {
            until: eitherUntil(answer.until, drain.until),
            ...(answer.watchSeconds && { watchSeconds: answer.watchSeconds }),
          });
        case 'refuse':
          // With a line feed, as Go's `http.Error`, which kcp uses there.
          if ('text' in answer.error) return sendText(exchange, answer.error.code, `${answer.error.text}\n`);
          return sendStatus(exchange, answer.error);
      }
    },
  };
}
