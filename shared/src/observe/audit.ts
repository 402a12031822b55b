import type { Caller } from '../authn/identity.ts';
import { perObject } from '../authn/per-object.ts';
import type { AuditOptions } from '../config/options.ts';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue } from '../listener/headers.ts';
import type { RequestRecord } from '../view/record.ts';
import { createLineFile, type LineSink } from './audit-file.ts';
import type { Logger } from './log.ts';

/** A request that has ended. */
export interface AuditEntry {
  readonly exchange: Pick<
    Exchange,
    'method' | 'url' | 'headers' | 'peer' | 'status' | 'bytesWritten' | 'startedAt' | 'httpVersion'
  >;
  /** Absent when the request did not authenticate. */
  readonly caller: Caller | undefined;
  readonly record: RequestRecord;
  /** The shard that it was for, where there are several. */
  readonly shard?: string | undefined;
  /** It was refused since its client has too much of something. */
  readonly throttled?: { readonly limit: string /** As the metrics call it. */; readonly client: string } | undefined;
  /** Proxies of virtual workspaces that it has passed, this one included. */
  readonly hops?: number | undefined;
  /** False: the client left, or the response was cut. */
  readonly complete: boolean;
}

/** One JSON line per request: who, what, where, how it ended and why. Without headers, bodies and queries, which may hold secrets. */
export interface AuditLog {
  write(entry: AuditEntry): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface AuditLogDependencies {
  readonly log: Logger;
  readonly onDropped?: (lines: number) => void;
  /** Bytes of lines that may wait for the disk. */
  readonly maxWaiting?: number;
}

const MAX_WAITING = 16 * 1024 * 1024;

export function createAuditLog(options: AuditOptions, dependencies: AuditLogDependencies): AuditLog {
  const { log } = dependencies;
  if (options.path === undefined) {
    const nothing = (): Promise<void> => Promise.resolve();
    return { write: entry => log.info({ audit: auditEvent(entry) }, 'request'), flush: nothing, close: nothing };
  }
  const sink = createSink(options, options.path, dependencies);
  return {
    write: entry => sink.write(`${JSON.stringify(auditEvent(entry))}\n`),
    flush: () => sink.flush(),
    close: () => sink.close(),
  };
}

function createSink(options: AuditOptions, path: string, dependencies: AuditLogDependencies): LineSink {
  const { log, onDropped = () => undefined, maxWaiting = MAX_WAITING } = dependencies;
  const onError = (err: Error): void => log.error({ err, path }, 'the audit log cannot be written; requests go on');
  if (path === '-') return standardOutput(maxWaiting, onError, onDropped);
  return createLineFile({
    path,
    maxSize: options.maxSizeMB * 1024 * 1024,
    maxBackups: options.maxBackups,
    maxAgeDays: options.maxAgeDays ?? 0,
    maxWaiting,
    onError,
    onDropped,
  });
}

function standardOutput(maxWaiting: number, onError: (error: Error) => void, onDropped: (lines: number) => void): LineSink {
  const stream = process.stdout;
  let failed = false;
  const fail = (error: Error): void => {
    if (!failed) onError(error);
    failed = true;
  };
  stream.on('error', fail);
  return {
    write(line) {
      if (failed || stream.writableLength + line.length > maxWaiting) onDropped(1);
      else stream.write(line);
    },
    flush: () => new Promise(resolve => void (failed ? resolve() : stream.write('', () => resolve()))),
    close: () => Promise.resolve(),
  };
}

/** Characters of one text in a line: paths and names come from clients. */
const MAX_TEXT = 2048;
const MAX_GROUPS = 64;

const shortened = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

/** What stands for a caller in a line, worked out once for all requests of a connection. */
const describeCaller = perObject(({ name, groups, method, impersonator }: Caller) => ({
  user: shortened(name),
  groups: groups.slice(0, MAX_GROUPS).map(shortened),
  authentication: method,
  impersonator: impersonator && shortened(impersonator.name),
}));

/** One literal, in which what is absent is undefined: JSON leaves it out, and spreading parts together costs more than all the rest. */
function auditEvent({ exchange, caller, record, shard, throttled, hops = 1, complete }: AuditEntry): Record<string, unknown> {
  const durationMs = Math.round((performance.now() - exchange.startedAt) * 1000) / 1000;
  const who = caller && describeCaller(caller);
  const query = exchange.url.indexOf('?');
  return {
    time: new Date(Date.now() - durationMs).toISOString(),
    // One that the front proxy has checked or made.
    auditID: headerValue(exchange.headers, 'audit-id') ?? '',
    source: exchange.peer.address,
    user: who?.user,
    groups: who?.groups,
    authentication: who?.authentication,
    impersonator: who?.impersonator,
    verb: record.verb,
    method: exchange.method,
    path: shortened(query < 0 ? exchange.url : exchange.url.slice(0, query)),
    view: record.view,
    shard,
    cluster: record.cluster,
    resource: record.resource && shortened(record.resource),
    code: exchange.status,
    durationMs,
    bytes: exchange.bytesWritten,
    complete,
    hops: hops > 1 ? hops : undefined,
    throttled: throttled?.limit,
    client: throttled?.client,
    because: record.because && shortened(record.because),
  };
}
