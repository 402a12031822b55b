import { context, ProxyTracerProvider, propagation, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { headerValues, type RawHeaders } from '../listener/headers.ts';

const TRACER = 'kcp-virtual-workspaces';

/** The tracer of an SDK that the process was started with (`node --import`); without one nothing is traced. */
function tracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegateTracer(TRACER) : provider.getTracer(TRACER);
}

/** Runs one stage of a request, within a span of that name when there is an SDK. Costs a function call otherwise. */
export function stage<T>(name: string, run: () => T): T {
  const active = tracer();
  if (!active) return run();
  return active.startActiveSpan(name, span => {
    try {
      const result = run();
      if (result instanceof Promise) return result.then(value => ended(span, value), failing(span)) as T;
      return ended(span, result);
    } catch (error) {
      return failing(span)(error);
    }
  });
}

function ended<T>(span: Span, value: T): T {
  span.end();
  return value;
}

/** Of the error only its kind: messages name users and objects. */
const failing =
  (span: Span) =>
  (error: unknown): never => {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
    span.end();
    throw error;
  };

/** Runs a request as a part of the trace that its headers name. */
export function continueTrace<T>(headers: RawHeaders, run: () => T): T {
  if (!tracer()) return run();
  return context.with(propagation.extract(context.active(), Object.fromEntries(pairs(traceContext(headers)))), run);
}

/**
 * What a request sent on carries: the span it is sent from, or without an SDK what the client sent, if it is well-formed. Nothing is
 * made up: a trace that nobody records helps nobody.
 */
export function traceHeaders(headers: RawHeaders): RawHeaders {
  if (tracer()) {
    const carrier: Record<string, string> = {};
    propagation.inject(context.active(), carrier);
    if (carrier.traceparent !== undefined) return Object.entries(carrier).flat();
  }
  return traceContext(headers);
}

/** W3C Trace Context §3.2.2: version ff and ids of zeros are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** §3.3.1.5: what has to be passed on at least, and what we do. */
const MAX_TRACESTATE = 512;

/** `traceparent` when there is exactly one and it is valid, with `tracestate` if short enough (§3.3: repeated ones are joined). */
function traceContext(headers: RawHeaders): RawHeaders {
  const [parent, ...further] = headerValues(headers, 'traceparent');
  if (parent === undefined || further.length > 0 || !TRACEPARENT.test(parent)) return [];
  const state = headerValues(headers, 'tracestate').join(',');
  return ['traceparent', parent, ...(state !== '' && state.length <= MAX_TRACESTATE ? ['tracestate', state] : [])];
}

function* pairs(headers: RawHeaders): Generator<[string, string]> {
  for (let i = 0; i + 1 < headers.length; i += 2) yield [headers[i] as string, headers[i + 1] as string];
}
