import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats `attempt` until it does not throw and returns its result. After `timeout` ms the last error is thrown. */
export async function eventually<T>(description: string, attempt: () => Promise<T>, timeout = 30_000): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (Date.now() > deadline) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${description} did not happen within ${timeout} ms: ${reason}`, { cause });
      }
    }
    await sleep(150);
  }
}
