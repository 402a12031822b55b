import { setTimeout as sleep } from 'node:timers/promises';
import { asCaller } from '@kcp-vw/shared/authn/identity.ts';
import { remoteHeaders } from '@kcp-vw/shared/authn/request-headers.ts';
import { fromUserInfo } from '@kcp-vw/shared/authn/user-info.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import { type Upstream, UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';
import type { SelfTestAnswer } from '@kcp-vw/shared/view/self-test.ts';
import { differenceFrom, PROBE, SELF_TEST_PATH } from '@kcp-vw/shared/view/self-test-probe.ts';

const TIMEOUT_MS = 15_000;
/** Of an answer: whoever registers a process may let it answer without end. */
const MAX_BYTES = 64 * 1024;
/** Before a test that has failed is made again; twice as long each time, until the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

const PROBE_CALLER = asCaller(PROBE, 'token');

/** A process of a service, under test until it has passed. */
export interface SelfTest {
  /** Undefined: passed. Otherwise why it may not get requests. */
  failure(): SelfTestFailure | undefined;
  stop(): void;
}

export interface SelfTestFailure {
  /** For a person. */
  readonly reason: string;
  /** It is not who it should be, or callers are not who they should be there. Otherwise it has not said anything yet, or was not able to. */
  readonly isUntrusted: boolean;
}

export interface SelfTestOptions {
  readonly log: Pick<Logger, 'warn'>;
  /** Told when something has come out. */
  readonly onResult?: () => void;
}

/** Tests a process again and again until it passes. Another process, at the same address too, is another test. */
export function followSelfTest(upstream: Upstream, { log, onResult }: SelfTestOptions): SelfTest {
  const stopping = new AbortController();
  let failure: SelfTestFailure | undefined = silent('its self-test has not ended yet');
  const follow = async (): Promise<void> => {
    for (let pause = FIRST_PAUSE_MS; !stopping.signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const next = await selfTest(upstream, log, stopping.signal);
      if (stopping.signal.aborted) return;
      if (next !== undefined && next.reason !== failure?.reason)
        log.warn({ service: upstream.name, reason: next.reason }, 'a service gets no requests');
      failure = next;
      onResult?.();
      if (failure === undefined) return;
      await sleep(pause, undefined, { signal: stopping.signal, ref: false }).catch(ignoreAbort);
    }
  };
  follow().catch((err: unknown) => {
    failure = silent('its self-test broke');
    log.warn({ err, service: upstream.name }, 'a service gets no requests: its self-test broke');
  });
  return { failure: () => failure, stop: () => stopping.abort() };
}

/** The pause ends early when the test is not wanted any more, which the loop sees for itself. */
function ignoreAbort(error: unknown): void {
  if ((error as Error).name !== 'AbortError') throw error;
}

/**
 * Sends somebody who does not exist through a service to its shard, and asks both who has come. Undefined: the one who was sent. Otherwise
 * the service must get no requests, because callers would act as others there.
 */
export async function selfTest(
  upstream: Upstream,
  log: Pick<Logger, 'warn'>,
  signal?: AbortSignal,
): Promise<SelfTestFailure | undefined> {
  try {
    const { status, body } = await requestJson<SelfTestAnswer>(upstream, {
      method: 'GET',
      path: SELF_TEST_PATH,
      headers: remoteHeaders(PROBE_CALLER),
      timeout: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      ...(signal && { signal }),
    });
    if (status !== 200) return { reason: `it answered the self-test with ${status}`, isUntrusted: status < 500 };
    return judge(body, upstream, log);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { reason: `it did not answer the self-test: ${error.message}`, isUntrusted: error.failure === 'untrusted' };
  }
}

const silent = (reason: string): SelfTestFailure => ({ reason, isUntrusted: false });
const untrusted = (reason: string): SelfTestFailure => ({ reason, isUntrusted: true });

function judge(answer: SelfTestAnswer, upstream: Upstream, log: Pick<Logger, 'warn'>): SelfTestFailure | undefined {
  const received = fromUserInfo(answer?.received);
  if (!received) return untrusted('it answered the self-test with something else');
  const lostHere = differenceFrom(PROBE, received);
  if (lostHere !== undefined) return untrusted(`callers do not arrive there as who they are: ${lostHere}`);
  if (answer.received.method !== PROBE_CALLER.method) return untrusted('it does not know how callers were authenticated');

  if (answer.reviewed === 403 || answer.reviewed === 404) {
    const what = 'a shard does not say who arrives there: only the way to the service is tested';
    log.warn({ service: upstream.name, status: answer.reviewed }, what);
    return undefined;
  }
  const reviewed = fromUserInfo(answer.reviewed);
  if (!reviewed) return untrusted('it answered the self-test without the user of its shard');
  const lostThere = differenceFrom(PROBE, reviewed);
  return lostThere === undefined ? undefined : untrusted(`callers do not arrive at its shard as who they are: ${lostThere}`);
}
