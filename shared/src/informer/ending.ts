import type { RawHeaders } from '../listener/headers.ts';
import { headerValue } from '../listener/headers.ts';
import type { UpstreamError } from '../upstream/upstream.ts';

/** How one request of a reflector ended, and what has to come next. */
export interface Ending {
  /**
   * `resume`: the state is good, go on from the last version. `relist`: it is not, read everything again.
   * `list`: the same, and the server does not stream lists.
   */
  readonly next: 'resume' | 'relist' | 'list';
  /** Absent when this is how a healthy server behaves: the watch's time was over, its version is too old. */
  readonly error?: Error;
  /** The server runs, or may run, on other data than before: versions and abilities that it had are void. */
  readonly restarted?: boolean;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter?: number;
}

/** The part of a Status that decides. Read with care: it may as well be a proxy's HTML page. */
interface Failure {
  readonly code: number;
  readonly message: string;
  readonly retryAfter: number;
  readonly causes: readonly unknown[];
}

/** A server that says 429 for an hour would keep us blind for an hour. */
const LONGEST_RETRY_AFTER = 300;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function failureOf(status: unknown, code: number, headers: RawHeaders): Failure {
  const { message, details, code: statusCode } = record(status);
  const { causes, retryAfterSeconds } = record(details);
  const seconds = Number(headerValue(headers, 'retry-after') ?? retryAfterSeconds ?? 0);
  return {
    code: code || (typeof statusCode === 'number' ? statusCode : 0),
    message: typeof message === 'string' ? message : '',
    retryAfter: Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST_RETRY_AFTER) * 1000 : 0,
    causes: Array.isArray(causes) ? causes : [],
  };
}

/** The server's versions went backwards: it was restored, or replaced by another. */
const isTooLarge = ({ message, causes }: Failure): boolean =>
  /too large resource version/i.test(message) || causes.some(cause => record(cause).reason === 'ResourceVersionTooLarge');

const GONE = 410;
/** Trouble of the moment that says nothing about our version. */
const PASSING = new Set([429, 502, 503, 504]);
/** What a server that does not know `sendInitialEvents` (or has it switched off) answers. */
const NOT_STREAMED = new Set([400, 405, 406, 415, 422, 501]);

/**
 * The ending for an error answer (`code` is the HTTP status) or an ERROR event (`code` 0: the Status has it).
 * `doing` begins the message: `watching <name>`.
 */
export function endingOfStatus(
  doing: string,
  status: unknown,
  { code = 0, headers = [], streamingList = false }: { code?: number; headers?: RawHeaders; streamingList?: boolean },
): Ending {
  const failure = failureOf(status, code, headers);
  if (failure.code === GONE) return { next: 'relist' };
  const error = new Error(
    `${doing}: the server answered ${failure.code || 'an error'}${failure.message && `: ${failure.message}`}`,
  );
  const wait = failure.retryAfter > 0 ? { retryAfter: failure.retryAfter } : {};
  if (isTooLarge(failure)) return { next: 'relist', error, ...wait };
  if (streamingList && NOT_STREAMED.has(failure.code)) return { next: 'list' };
  return { next: PASSING.has(failure.code) ? 'resume' : 'relist', error, ...wait };
}

/**
 * The ending for an answer that did not come, or not to its end. Nobody listening means a restart, and a restarted server may have been
 * restored from a backup: Kubernetes keeps a watch from a version in the server's future silently open, so only a list is safe.
 */
export function endingOfConnection(doing: string, cause: UpstreamError): Ending {
  const error = new Error(`${doing}: ${cause.message}`, { cause });
  return cause.failure === 'unreachable' || cause.failure === 'untrusted'
    ? { next: 'relist', error, restarted: true }
    : { next: 'resume', error };
}
