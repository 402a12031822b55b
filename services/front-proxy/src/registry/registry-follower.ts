import { createBackoff } from '@kcp-vw/shared/informer/backoff.ts';
import { type Clock, sleep, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import type { AddressSource } from '../addresses/addresses.ts';
import type { Judgement } from './judged-endpoints.ts';
import { lateAddresses } from './late-addresses.ts';
import { type RegisteredAddresses, registeredAddresses } from './registered-addresses.ts';
import { writeConditions } from './registry-conditions.ts';
import { removeStaleEntries } from './stale-entries.ts';

export interface FollowRegistryOptions {
  /** Rejects as long as the registry cannot be found; asked again. */
  readonly connect: () => Promise<Registry>;
  readonly judgement: () => Judgement;
  readonly leaseSeconds: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock?: Clock;
}

/** The registry, from when it is looked for on. */
export interface FollowedRegistry {
  readonly source: AddressSource;
  /** Undefined until it has been found. */
  registered(): RegisteredAddresses | undefined;
  /** What readiness waits for: the first list, and for that not for ever. */
  check(): string | undefined;
  close(): Promise<void>;
}

/** Milliseconds after which a front proxy is ready without its registry: what it has otherwise may be all that anybody asks for. */
const LONGEST_WAIT_MS = 30_000;
const RETRY = { initial: 1_000, max: 30_000 };

/** Finds the registry in the background, follows it, and says in it what is made of it. */
export function followRegistry(options: FollowRegistryOptions): FollowedRegistry {
  const { connect, judgement, leaseSeconds, log, clock = systemClock } = options;
  const source = lateAddresses();
  const controller = new AbortController();
  const closers: (() => void | Promise<void>)[] = [];
  let registered: RegisteredAddresses | undefined;
  let waited = false;

  const use = (registry: Registry): void => {
    const description = { registry: registry.description };
    log.info(description, 'services are found in the registry');
    const onError = (err: Error): void =>
      log.warn({ err, ...description }, 'the registry could not be followed; what it said last stays');
    registered = registeredAddresses({ registry, judgement, leaseSeconds, clock, onError });
    source.become(registered);
    closers.push(
      writeConditions({ registry, registered, log, clock }),
      removeStaleEntries({ registry, registered, log, clock }),
      () => registry.upstream.close(),
    );
  };
  const find = async (): Promise<void> => {
    const backoff = createBackoff(clock, RETRY);
    while (!controller.signal.aborted) {
      try {
        const registry = await connect();
        if (controller.signal.aborted) await registry.upstream.close();
        else use(registry);
        return;
      } catch (err) {
        log.warn({ err }, 'the registry was not found; trying again');
        await sleep(clock, backoff.next(), controller.signal);
      }
    }
  };
  void find();
  const stopWaiting = clock.after(LONGEST_WAIT_MS, () => {
    waited = true;
    if (!registered?.synced()) log.warn('the registry has not been read; this front proxy is ready with what it has without it');
  });

  return {
    source,
    registered: () => registered,
    check: () => (waited || registered?.synced() ? undefined : 'the registry has not been read'),
    async close() {
      controller.abort();
      stopWaiting();
      source.close();
      for (const close of closers) await close();
    },
  };
}
