import { requestText } from '@kcp-vw/shared/upstream/text.ts';
import type { Backends } from './backends.ts';

/** Milliseconds between two questions, while a service is not ready and once it is. */
const ASK_AGAIN_MS = 250;
const ASK_WHEN_READY_MS = 2_000;

/** Which services are ready, as they say themselves. */
export interface Readiness {
  /** What is missing of a service, undefined when it is ready. */
  missing(service: string): string | undefined;
  stop(): void;
}

/** Asks each service's `/readyz` again and again. A service with several processes is ready when one of them is. */
export function followReadiness(services: readonly string[], backends: Backends): Readiness {
  const missing = new Map(services.map(service => [service, 'it has not started yet']));
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const askService = async (service: string): Promise<void> => {
    const own = backends.all().filter(({ address }) => address.service === service);
    const answers = await Promise.all(own.map(({ upstream }) => ask(upstream)));
    if (answers.includes(undefined)) missing.delete(service);
    else missing.set(service, answers[0] ?? 'it is not up');
  };
  const ask = async (upstream: Parameters<typeof requestText>[0]): Promise<string | undefined> => {
    try {
      const { status, body } = await requestText(upstream, { method: 'GET', path: '/readyz', timeout: 5_000 });
      return status === 200 ? undefined : body.trim();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const round = async (): Promise<void> => {
    await Promise.all(services.map(askService));
    if (!stopped) timer = setTimeout(round, missing.size > 0 ? ASK_AGAIN_MS : ASK_WHEN_READY_MS);
  };
  void round();

  return {
    missing: service => missing.get(service),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
