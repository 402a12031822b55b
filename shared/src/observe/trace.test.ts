import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { propagation, ROOT_CONTEXT, type Span, type Tracer, trace } from '@opentelemetry/api';
import { continueTrace, stage, traceHeaders } from './trace.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('without an OpenTelemetry SDK', () => {
  test('a stage is just run, and its result or error comes out', async () => {
    expect(stage('a', () => 1)).toBe(1);
    await expect(stage('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(() =>
      stage('a', () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(continueTrace(['traceparent', PARENT], () => 2)).toBe(2);
  });

  test('the trace of the client is passed on, and none is made up', () => {
    expect(traceHeaders(['Traceparent', PARENT, 'tracestate', 'a=1', 'Tracestate', 'b=2'])).toEqual([
      ...['traceparent', PARENT, 'tracestate', 'a=1,b=2'],
    ]);
    expect(traceHeaders([])).toEqual([]);
    expect(traceHeaders(['tracestate', 'a=1'])).toEqual([]);
  });

  test.each([
    ['twice', ['traceparent', PARENT, 'traceparent', PARENT]],
    ['of version ff', ['traceparent', PARENT.replace(/^00/, 'ff')]],
    ['with an id of zeros', ['traceparent', PARENT.replace(/b7ad6b7169203331/, '0'.repeat(16))]],
    ['with anything else', ['traceparent', `${PARENT}\r\nx: y`]],
  ])('a parent %s is dropped', (_, headers) => {
    expect(traceHeaders(headers)).toEqual([]);
  });

  test('a state that is too long is dropped, but not the parent', () => {
    expect(traceHeaders(['traceparent', PARENT, 'tracestate', `a=${'1'.repeat(600)}`])).toEqual(['traceparent', PARENT]);
  });
});

describe('with an OpenTelemetry SDK', () => {
  const events: string[] = [];
  beforeEach(() => {
    events.length = 0;
    const tracer = {
      startActiveSpan: (name: string, run: (span: Span) => unknown) => {
        events.push(`start ${name}`);
        return run({
          setStatus: (status: { message?: string }) => void events.push(`error ${status.message}`),
          end: () => void events.push(`end ${name}`),
        } as unknown as Span);
      },
    } as unknown as Tracer;
    trace.setGlobalTracerProvider({ getTracer: () => tracer });
  });
  afterEach(() => {
    trace.disable();
    propagation.disable();
  });

  test('a stage is a span as long as it takes', async () => {
    const { promise, resolve: finish } = Promise.withResolvers<void>();
    const running = stage('authorize', () => promise);
    expect(events).toEqual(['start authorize']);
    finish();
    await running;
    stage('answer', () => 1);
    expect(events).toEqual(['start authorize', 'end authorize', 'start answer', 'end answer']);
  });

  test('a failed stage is marked with the kind of its error, which goes on its way', async () => {
    await expect(stage('a', () => Promise.reject(new TypeError('about ada')))).rejects.toThrow('about ada');
    expect(() =>
      stage('b', () => {
        throw new RangeError('about ada');
      }),
    ).toThrow('about ada');
    expect(events).toEqual(['start a', 'error TypeError', 'end a', 'start b', 'error RangeError', 'end b']);
  });

  test('the request sent on carries the span it is sent from, and a request received continues its trace', () => {
    propagation.setGlobalPropagator({
      inject: (_context, carrier, setter) => setter.set(carrier, 'traceparent', PARENT),
      extract: (active, carrier, getter) => {
        events.push(`parent ${String(getter.get(carrier, 'traceparent'))}`);
        return active ?? ROOT_CONTEXT;
      },
      fields: () => ['traceparent'],
    });
    expect(traceHeaders([])).toEqual(['traceparent', PARENT]);
    continueTrace(['traceparent', PARENT], () => undefined);
    expect(events).toEqual([`parent ${PARENT}`]);
  });
});
