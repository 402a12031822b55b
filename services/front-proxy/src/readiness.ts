import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Backend, Backends } from './backends.ts';

/** Milliseconds between two questions, while a service is not ready and once it is. */
const ASK_AGAIN_MS = 250;
const ASK_WHEN_READY_MS = 2_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** Which services are ready, as they say themselves. */
export interface Readiness {
  /** A check per service, and the service's own checks as it last told them. */
  checks(): readonly { readonly name: string; readonly check: () => string | undefined }[];
  stop(): void;
}

/** What one process of a service answered. */
interface Answer {
  readonly missing: string | undefined;
  /** Its own checks: name, and what is missing. */
  readonly checks: readonly (readonly [name: string, missing: string | undefined])[];
}

const UNKNOWN: Answer = { missing: 'it is not up', checks: [] };

/** A process that is asked, and what it said last. */
interface Asked {
  answer: Answer;
  underWay: boolean;
  /** Of `performance.now()`. */
  askAt: number;
}

/**
 * Asks each process of a service for its `/readyz`, again and again. A service with several processes is ready when one of them is.
 * `services` are those that have to be ready; without it, those that there are addresses of, and at least one.
 */
export function followReadiness(backends: Backends, services?: readonly string[]): Readiness {
  const asked = new Map<Backend, Asked>();

  const askBackend = async (backend: Backend, state: Asked): Promise<void> => {
    state.underWay = true;
    state.answer = await ask(backend.upstream);
    state.underWay = false;
    backend.ready = state.answer.missing === undefined;
    state.askAt = performance.now() + (backend.ready ? ASK_WHEN_READY_MS : ASK_AGAIN_MS);
  };
  // Each at its own pace: one that never answers does not keep the others from being asked.
  const look = (): void => {
    const all = backends.all();
    for (const backend of asked.keys()) if (!all.includes(backend)) asked.delete(backend);
    for (const backend of all) {
      const state = asked.get(backend) ?? { answer: UNKNOWN, underWay: false, askAt: 0 };
      asked.set(backend, state);
      if (!state.underWay && performance.now() >= state.askAt) void askBackend(backend, state);
    }
  };
  /** Milliseconds until somebody is to be asked again, or until it is worth a look whether an answer has come. */
  const untilNext = (): number => {
    const now = performance.now();
    const waits = [...asked.values()].map(({ askAt, underWay }) => (underWay ? ASK_AGAIN_MS : Math.max(1, askAt - now)));
    return Math.min(ASK_WHEN_READY_MS, ...waits);
  };
  let stopped = false;
  // Wakes when there is something to do and not more often: an idle process costs what it wakes for.
  const follow = async (): Promise<void> => {
    while (!stopped) {
      look();
      await backends.changed(untilNext());
    }
  };
  void follow();

  const expected = (): readonly string[] => services ?? [...new Set(backends.all().map(({ address }) => address.service))].sort();
  const answerOf = (service: string): Answer => {
    const given = backends
      .all()
      .flatMap(backend => (backend.address.service === service ? (asked.get(backend)?.answer ?? UNKNOWN) : []));
    return given.find(({ missing }) => missing === undefined) ?? given[0] ?? UNKNOWN;
  };
  return {
    checks() {
      const all = expected();
      if (all.length === 0) return [{ name: 'services', check: () => 'there is no address of any service' }];
      return all.flatMap(service => {
        const { missing, checks } = answerOf(service);
        return [[service, missing] as const, ...checks].map(([name, reason]) => ({ name, check: () => reason }));
      });
    },
    stop() {
      stopped = true;
    },
  };
}

/** The checks that every process has, and that the front proxy answers for itself. */
const COMMON = ['ping', 'shutdown'];

async function ask(upstream: Upstream): Promise<Answer> {
  try {
    const { status, body } = await requestText(upstream, { method: 'GET', path: '/readyz?verbose', timeout: ANSWER_TIMEOUT_MS });
    const lines = [...body.matchAll(/^\[([+-])\](\S+) (?:ok|failed: (.*))$/gm)];
    const checks = lines
      .filter(([, , name = '']) => !COMMON.includes(name))
      .map(([, sign, name = '', reason = 'it is not ready']) => [name, sign === '+' ? undefined : reason] as const);
    return { missing: status === 200 ? undefined : 'it is not ready', checks };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error), checks: [] };
  }
}
