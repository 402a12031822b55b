import { awaited } from '@kcp-vw/shared/config/options.ts';
import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Address } from '../addresses/addresses.ts';
import type { Backend, Backends } from './backends.ts';

/** Milliseconds between two questions: the first while a service is not ready, and then twice as many each time, up to those once it is. */
const ASK_AGAIN_MS = 250;
const ASK_WHEN_READY_MS = 2_000;
/** Of an answer, which may be that of a stranger: more of it is neither kept nor shown. */
const MAX_CHECKS = 100;
const LONGEST_WORDS = 200;
const ANSWER_TIMEOUT_MS = 5_000;
/** Whoever registers a process may let it answer without end. */
const MAX_ANSWER_BYTES = 64 * 1024;

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
  /** Of the clock. */
  askAt: number;
  /** Milliseconds until it is asked again if it is not ready. */
  pause: number;
}

/**
 * Asks each process of a service for its `/readyz`, again and again. A service with several processes is ready when one of them is.
 * `required` says which services have to be ready now, undefined that there has to be one; without it, those that there are addresses of,
 * and at least one.
 */
export function followReadiness(
  backends: Pick<Backends, 'all' | 'changed'>,
  required?: () => readonly string[] | undefined,
  clock: Clock = systemClock,
): Readiness {
  const asked = new Map<Backend, Asked>();

  const askBackend = async (backend: Backend, state: Asked): Promise<void> => {
    state.underWay = true;
    state.answer = await ask(backend.upstream);
    state.underWay = false;
    backend.setReady(missingOf(backend, state.answer) === undefined);
    state.askAt = clock.now() + (backend.ready ? ASK_WHEN_READY_MS : state.pause);
    state.pause = backend.ready ? ASK_AGAIN_MS : Math.min(state.pause * 2, ASK_WHEN_READY_MS);
  };
  // Each at its own pace: one that never answers does not keep the others from being asked.
  const look = (): void => {
    const all = backends.all();
    for (const backend of asked.keys()) if (!all.includes(backend)) asked.delete(backend);
    for (const backend of all) {
      const state = asked.get(backend) ?? { answer: UNKNOWN, underWay: false, askAt: 0, pause: ASK_AGAIN_MS };
      asked.set(backend, state);
      if (!state.underWay && clock.now() >= state.askAt) void askBackend(backend, state);
    }
  };
  /** Milliseconds until somebody is to be asked again, or until it is worth a look whether an answer has come. */
  const untilNext = (): number => {
    const now = clock.now();
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

  const expected = (): readonly string[] | undefined =>
    required ? required() : servicesOf(backends.all().map(({ address }) => address));
  const answerOf = (service: string): Answer => {
    const given = backends.all().flatMap(backend => {
      if (backend.address.service !== service) return [];
      const answer = asked.get(backend)?.answer ?? UNKNOWN;
      return { ...answer, missing: missingOf(backend, answer) };
    });
    return given.find(({ missing }) => missing === undefined) ?? given[0] ?? UNKNOWN;
  };
  return {
    checks() {
      const all = expected();
      if (all === undefined) return [{ name: 'services', check: () => 'there is no address of any service' }];
      return all.flatMap(service => {
        const { missing, checks } = answerOf(service);
        // Processes of a service for several shards have the same checks.
        const [, shard] = service.split('@', 2);
        const own = checks.map(([name, reason]) => [shard === undefined ? name : `${name}@${shard}`, reason] as const);
        return [[service, missing] as const, ...own].map(([name, reason]) => ({ name, check: () => reason }));
      });
    },
    stop() {
      stopped = true;
    },
  };
}

/** One that is not trusted is not ready, whatever it says; what it says itself comes first. */
const missingOf = (backend: Backend, { missing }: Answer): string | undefined => missing ?? backend.distrust()?.reason;

/** The services that addresses are of and that have to be ready, each once; undefined when there is no address. */
export function servicesOf(addresses: readonly Address[]): readonly string[] | undefined {
  const services = [...new Set(addresses.map(({ service }) => service))].sort();
  return services.length > 0 ? awaited(services) : undefined;
}

const cut = (words: string): string => words.slice(0, LONGEST_WORDS);

/** The checks that every process has, and that the front proxy answers for itself. */
const COMMON = ['ping', 'shutdown'];

async function ask(upstream: Upstream): Promise<Answer> {
  try {
    const { status, body } = await requestText(upstream, {
      method: 'GET',
      path: '/readyz?verbose',
      timeout: ANSWER_TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const lines = [...body.matchAll(/^\[([+-])\](\S+) (?:ok|failed: (.*))$/gm)];
    const checks = lines
      .filter(([, , name = '']) => !COMMON.includes(name))
      .slice(0, MAX_CHECKS)
      .map(([, sign, name = '', reason = 'it is not ready']) => [cut(name), sign === '+' ? undefined : cut(reason)] as const);
    return { missing: status === 200 ? undefined : 'it is not ready', checks };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error), checks: [] };
  }
}
