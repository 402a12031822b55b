import type { Logger } from '../observe/log.ts';
import type { Registry } from './registry-access.ts';

/** The registry as several users of one process share it: found when it is first needed, and again when it does not answer. */
export interface RegistryConnection {
  /** Rejects as long as there is none; whoever asks tries again, later. */
  get(): Promise<Registry>;
  /** What there is, without looking for it. */
  current(): Registry | undefined;
  /** Told by the users: an answer came, whatever it was, or none did. */
  answered(): void;
  failed(error: unknown): void;
  close(): Promise<void>;
}

/** It may have moved, or its kubeconfig may name another server: after so many requests without an answer it is looked for again. */
const FAILURES_UNTIL_ANEW = 3;

/** Says once that the registry is out of reach, and once that it is back. */
export function registryConnection(connect: () => Promise<Registry>, log: Pick<Logger, 'info' | 'warn'>): RegistryConnection {
  let registry: Registry | undefined;
  let connecting: Promise<Registry> | undefined;
  let failures = 0;
  let lost = false;
  let closed = false;

  const anew = async (): Promise<Registry> => {
    const before = registry;
    const found = await connect();
    if (closed) {
      await found.upstream.close();
      throw new Error('the process is ending');
    }
    registry = found;
    failures = 0;
    await before?.upstream.close();
    return found;
  };

  return {
    async get() {
      if (registry !== undefined && failures < FAILURES_UNTIL_ANEW) return registry;
      connecting ??= anew().finally(() => {
        connecting = undefined;
      });
      return connecting.catch(error => {
        // What the registry is found with may be gone as well: the last place is better than none.
        if (registry === undefined) throw error;
        failures = 0;
        return registry;
      });
    },
    current: () => registry,
    answered() {
      failures = 0;
      if (lost) log.info({ registry: registry?.description }, 'the registry answers again');
      lost = false;
    },
    failed(err) {
      failures += 1;
      if (!lost && !closed) log.warn({ err }, 'the registry cannot be reached; serving goes on, and so does trying');
      lost = true;
    },
    async close() {
      closed = true;
      await registry?.upstream.close();
    },
  };
}
