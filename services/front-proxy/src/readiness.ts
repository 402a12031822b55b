import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Upstream } from '@kcp-vw/shared/upstream/upstream.ts';
import type { Backends } from './backends.ts';

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

/** Asks each service's `/readyz` again and again. A service with several processes is ready when one of them is. */
export function followReadiness(services: readonly string[], backends: Backends): Readiness {
  const answers = new Map<string, Answer>(services.map(service => [service, UNKNOWN]));
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const askService = async (service: string): Promise<void> => {
    const own = backends.all().filter(({ address }) => address.service === service);
    const given = await Promise.all(own.map(({ upstream }) => ask(upstream)));
    answers.set(service, given.find(({ missing }) => missing === undefined) ?? given[0] ?? UNKNOWN);
  };
  const round = async (): Promise<void> => {
    await Promise.all(services.map(askService));
    const ready = [...answers.values()].every(({ missing }) => missing === undefined);
    if (!stopped) timer = setTimeout(round, ready ? ASK_WHEN_READY_MS : ASK_AGAIN_MS);
  };
  void round();

  return {
    checks: () =>
      [...answers].flatMap(([service, { missing, checks }]) =>
        [[service, missing] as const, ...checks].map(([name, reason]) => ({ name, check: () => reason })),
      ),
    stop() {
      stopped = true;
      clearTimeout(timer);
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
