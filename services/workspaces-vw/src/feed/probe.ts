import type { Clock } from '@kcp-vw/shared/informer/clock.ts';
import type { Upstream, UpstreamCall } from '@kcp-vw/shared/upstream/upstream.ts';

/** Open to everyone at an API server; it includes that the storage answers. */
const PATH = '/livez';

export interface ProbeOptions {
  /** Milliseconds for the answer. */
  readonly timeout: number;
  readonly clock: Clock;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/**
 * Whether a server says in time that it is well. One that hangs keeps its connections open, so by its watches alone it cannot be told from one
 * where nothing happens. It is asked where the watches are, on one HTTP/2 session with them: what it has told before the answer is here before
 * the answer. On another connection it would seem well while a network that has lost packets still holds back its changes.
 */
export function isWell(upstream: Upstream, { timeout, clock, signal }: ProbeOptions): Promise<boolean> {
  return new Promise(resolve => {
    let status = 0;
    let call: UpstreamCall | undefined;
    const end = (well: boolean): void => {
      cancel();
      signal.removeEventListener('abort', giveUp);
      call?.abort();
      resolve(well);
    };
    const giveUp = (): void => end(false);
    const cancel = clock.after(timeout, giveUp);
    signal.addEventListener('abort', giveUp);
    call = upstream.dispatch(
      { method: 'GET', path: PATH, headers: ['accept', 'text/plain'], body: null, longRunning: true },
      {
        onHead(code) {
          status = code;
        },
        onData: () => true,
        onEnd: () => end(status === 200),
        // Why it has not answered is not asked: that it has not for long is what is told.
        onError: giveUp,
      },
    );
    if (signal.aborted) giveUp();
  });
}
