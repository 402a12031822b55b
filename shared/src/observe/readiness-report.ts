import type { Health } from './health.ts';
import type { ProcessHooks } from './lifeline.ts';

const LOOK_AGAIN_MS = 250;

/** Tells whoever runs this process what it still waits for, and once that it is ready. Returns how to stop telling. */
export function reportReadiness(health: Health, hooks: Pick<ProcessHooks, 'ready' | 'waiting'>): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const answer = health.respond('/readyz', new URLSearchParams(), true);
    if (answer?.code === 200) {
      hooks.ready();
      return;
    }
    hooks.waiting(failedChecks(answer?.body ?? ''));
    timer = setTimeout(look, LOOK_AGAIN_MS);
  };
  look();
  return () => clearTimeout(timer);
}

/** The lines of the checks that fail, as one. */
const failedChecks = (body: string): string =>
  [...body.matchAll(/^\[-\](.*)$/gm)].map(([, check]) => check?.replace(' failed: ', ': ')).join('; ');
