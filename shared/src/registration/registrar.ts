import { isDeepStrictEqual } from 'node:util';
import type { RegistrationOptions } from '../config/options.ts';
import { type Clock, sleep, systemClock } from '../informer/clock.ts';
import type { ServingTls } from '../listener/tls.ts';
import type { Logger } from '../observe/log.ts';
import type { Registry } from './registry-access.ts';
import { registryConnection } from './registry-connection.ts';
import { authoritiesAfterLeaf } from './serving-authorities.ts';
import { registerView } from './view-registration.ts';
import type { VirtualWorkspaceEndpoint } from './virtual-workspace.ts';

export interface RegisterOptions {
  /** Asked again when it fails, and when what it gave does not answer. */
  readonly connect: () => Promise<Registry>;
  readonly registration: Pick<RegistrationOptions, 'instance' | 'leaseSeconds'>;
  readonly advertisedUrl: string;
  /** Names of the views that this process serves. */
  readonly views: readonly string[];
  readonly shard?: string | undefined;
  /** Whether requests may come now. Asked twice a second. */
  readonly ready: () => boolean;
  /** Whose authorities are told, as they change. */
  readonly tls: Pick<ServingTls, 'context' | 'onChange'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock?: Clock;
  readonly date?: () => Date;
  readonly random?: () => number;
}

export interface Registrar {
  /** Says that this process is not ready, whatever it was. Resolves when that has been told, or after a second. */
  drain(): Promise<void>;
  /** Takes back what has been registered, as far as that can be done within two seconds, and ends. */
  withdraw(): Promise<void>;
}

const LOOK_AGAIN_MS = 500;
const DRAIN_MS = 1_000;
const WITHDRAW_MS = 2_000;

/**
 * Registers this process as a server of each of its views, and keeps that true: entry and lease per view. It never fails: what is in the
 * way is said in the log, once, and tried again, since requests may come by way of a file as well.
 */
export function register(options: RegisterOptions): Registrar {
  const { registration, views, tls, log, clock = systemClock, date = () => new Date(), random = Math.random } = options;
  const { instance, leaseSeconds } = registration;
  const connection = registryConnection(options.connect, log);
  const url = options.advertisedUrl.replace(/\/$/, '');
  let draining = false;
  let ca = authoritiesAfterLeaf(pemOf(tls.context));

  const entryNow = (): VirtualWorkspaceEndpoint => ({
    instance,
    url,
    ...(options.shard && { shard: options.shard }),
    ready: !draining && options.ready(),
    ...(ca !== undefined && { ca }),
  });
  let entry = entryNow();
  const shared = { instance, leaseSeconds, connection, log, clock, date, random };
  const registrations = views.map(view => registerView({ ...shared, view, entry }));

  const look = (atOnce = false): void => {
    const next = entryNow();
    if (isDeepStrictEqual(next, entry) && !atOnce) return;
    entry = next;
    for (const registration of registrations) registration.say(entry, atOnce);
  };
  let stopLooking = (): void => undefined;
  const lookLater = (): void => {
    stopLooking = clock.after(LOOK_AGAIN_MS, () => {
      look();
      lookLater();
    });
  };
  lookLater();
  const stopFollowing = tls.onChange(context => {
    ca = authoritiesAfterLeaf(pemOf(context));
    look();
  });

  const within = async (milliseconds: number, work: Promise<unknown>): Promise<void> => {
    const inTime = new AbortController();
    await Promise.race([work, sleep(clock, milliseconds, inTime.signal)]);
    inTime.abort();
  };

  return {
    async drain() {
      draining = true;
      look(true);
      await within(DRAIN_MS, Promise.all(registrations.map(registration => registration.told())));
    },
    async withdraw() {
      draining = true;
      stopLooking();
      stopFollowing();
      await within(WITHDRAW_MS, Promise.all(registrations.map(registration => registration.withdraw())));
      await connection.close();
    },
  };
}

const pemOf = ({ cert = '' }: ServingTls['context']): string => [cert].flat().map(String).join('');
