import { isNativeError } from 'node:util/types';
import pino, { type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  /** Which process speaks: `front-proxy`. */
  readonly name: string;
  /** klog's verbosity. */
  readonly verbosity: number;
  /** Absent: standard error. */
  readonly destination?: DestinationStream;
}

/** klog's verbosities as levels: what kcp logs at -v=4 is debugging, at -v=6 it is every request. */
export const levelOf = (verbosity: number): 'info' | 'debug' | 'trace' =>
  verbosity >= 6 ? 'trace' : verbosity >= 4 ? 'debug' : 'info';

/** Bytes of lines that wait for a slow reader of standard error; beyond them lines are lost, which is better than a stalled server. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Bytes. Every line is longer and written at once; with 0 nothing could be waited for. */
const FLUSHABLE = 1;

/** JSON lines. Headers and credentials do not get through, however deep in a logged object they are or in a message. */
export function createLogger({ name, verbosity, destination }: LogOptions): Logger {
  return pino(
    {
      name,
      level: levelOf(verbosity),
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }), log: fields => withoutSecrets(fields, 0) as Record<string, unknown> },
      // The formatter does not see the fields of child loggers.
      redact: { paths: ['headers', 'authorization', 'cookie', 'password', 'secret', 'token'], censor: REDACTED },
      // Not pino's serializer, which copies whatever properties an error has.
      serializers: { err: value => value },
      hooks: { streamWrite: redactText },
    },
    destination ?? pino.destination({ dest: process.stderr.fd, sync: false, minLength: FLUSHABLE, maxLength: MAX_WAITING }),
  );
}

/** Resolves when everything logged until now is written. */
export const written = (log: Logger): Promise<void> =>
  // An error would be that of fsync, which pipes and terminals do not have.
  new Promise(resolve => log.flush(() => resolve()));

/** Names of fields (lower case, without punctuation) whose values are never logged. */
const SECRET_FIELDS = new Set(
  [
    'headers',
    'rawheaders',
    'trailers',
    'authorization',
    'proxyauthorization',
    'cookie',
    'setcookie',
    'password',
    'passphrase',
  ].concat(['token', 'accesstoken', 'idtoken', 'bearertoken', 'secret', 'keydata', 'privatekey', 'clientkeydata', 'tokenreview']),
);
const REDACTED = '[redacted]';
const MAX_DEPTH = 6;

function withoutSecrets(value: unknown, depth: number): unknown {
  if (isNativeError(value)) return describeError(value, depth);
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.map(item => withoutSecrets(item, depth + 1));
  const kept: Record<string, unknown> = {};
  for (const [field, content] of Object.entries(value)) {
    const secret = SECRET_FIELDS.has(field.toLowerCase().replace(/[^a-z]/g, ''));
    kept[field] = secret ? REDACTED : withoutSecrets(content, depth + 1);
  }
  return kept;
}

/** What helps to find the fault; other properties of an error may hold a request. */
function describeError(error: Error & { code?: unknown }, depth: number): unknown {
  return {
    type: error.name,
    message: error.message,
    ...(error.code !== undefined && { code: error.code }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: depth < MAX_DEPTH ? withoutSecrets(error.cause, depth + 1) : '[deeper]' }),
  };
}

/** Credentials that came into a text, as in the message of a library's error: tokens, JSON Web Tokens, keys. */
function redactText(line: string): string {
  return line
    .replace(/\b(bearer|basic)\s+[\w\-.~+/]{8,}=*/gi, `$1 ${REDACTED}`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\w+/=\\\s]*/g, REDACTED)
    .replace(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED);
}
