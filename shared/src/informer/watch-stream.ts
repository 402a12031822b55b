import type { WatchEvent } from '../kube/objects.ts';
import type { RawHeaders } from '../listener/headers.ts';
import type { Upstream, UpstreamCall } from '../upstream/upstream.ts';
import type { Clock } from './clock.ts';
import { type Ending, endingOfConnection, endingOfStatus } from './ending.ts';
import { createLineSplitter } from './watch-lines.ts';

export interface WatchRequest {
  readonly upstream: Upstream;
  /** With query. */
  readonly path: string;
  /** For messages. */
  readonly name: string;
  readonly streamingList: boolean;
  readonly maxLineBytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds after which the stream is dropped, whatever it does: the server should have ended it before. */
  readonly lifetime: number;
  /** The silence that is suspicious now, milliseconds; undefined: any is fine. Asked again at every sign of life. */
  readonly patience: (headSeen: boolean) => { readonly silence: number; readonly ending: Ending } | undefined;
  readonly onOpen: () => void;
  /** An ending ends the stream. What it throws means that the stream cannot be understood. */
  readonly onEvent: (event: WatchEvent) => Ending | undefined;
}

/** An error answer is small; more than this is not read. */
const MAX_ERROR_BODY = 64 * 1024;

/** One watch request from dispatch to its ending. Leaves no stream and no timer behind. */
export function watchOnce(request: WatchRequest): Promise<Ending> {
  const { clock, signal, patience } = request;
  const doing = `watching ${request.name}`;
  return new Promise(resolve => {
    let call: UpstreamCall | undefined;
    let ended = false;
    let status = 0;
    let head: RawHeaders = [];
    let errorBody = '';
    let cancelSilence = (): void => {};

    const end = (ending: Ending): void => {
      if (ended) return;
      ended = true;
      cancelLifetime();
      cancelSilence();
      signal.removeEventListener('abort', stop);
      call?.abort();
      resolve(ending);
    };
    const stop = (): void => end({ next: 'resume' });
    const alive = (): void => {
      cancelSilence();
      const limit = patience(status !== 0);
      if (limit) cancelSilence = clock.after(limit.silence, () => end(limit.ending));
    };
    const understand = (action: () => void): void => {
      try {
        action();
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        end({ next: 'relist', error: new Error(`${doing}: ${reason}`, { cause }) });
      }
    };

    const lines = createLineSplitter(request.maxLineBytes, line => {
      if (ended) return;
      const ending = request.onEvent(parseEvent(line));
      if (ending) end(ending);
    });
    const cancelLifetime = clock.after(request.lifetime, () => end({ next: 'resume' }));
    signal.addEventListener('abort', stop);
    alive();

    call = request.upstream.dispatch(
      { method: 'GET', path: request.path, headers: ['accept', 'application/json'], body: null, longRunning: true },
      {
        onHead(code, headers) {
          if (ended) return;
          status = code;
          head = headers;
          if (code === 200) understand(request.onOpen);
          alive();
        },
        onData(chunk) {
          if (ended) return true;
          if (status === 200) understand(() => lines.push(chunk));
          else if (errorBody.length < MAX_ERROR_BODY) errorBody += Buffer.from(chunk).toString('latin1');
          if (!ended) alive();
          return true;
        },
        onEnd() {
          if (status === 200) return end({ next: 'resume' });
          const options = { code: status, headers: head, streamingList: request.streamingList };
          end(endingOfStatus(doing, parseStatus(errorBody), options));
        },
        onError: error => end(endingOfConnection(doing, error)),
      },
    );
    // Ended before there was a call to abort: by an upstream that fails at once, or a signal that came first.
    if (signal.aborted) stop();
    if (ended) call.abort();
  });
}

function parseEvent(line: string): WatchEvent {
  const event = JSON.parse(line) as Partial<WatchEvent> | null;
  if (typeof event?.type !== 'string' || typeof event.object !== 'object' || event.object === null) {
    throw new Error('a line of the stream is no watch event');
  }
  return event as WatchEvent;
}

/** The Status in an error's body; what is none (a proxy's page) is passed on as a message. */
function parseStatus(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, 'latin1').toString('utf8'));
  } catch {
    return { message: body.slice(0, 200) };
  }
}
