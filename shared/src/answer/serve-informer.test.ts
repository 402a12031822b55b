import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MutableCollection } from '../informer/collection.ts';
import { createInformer } from '../informer/informer.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import {
  type Upstream,
  type UpstreamCall,
  UpstreamError,
  type UpstreamHandler,
  type UpstreamRequest,
} from '../upstream/upstream.ts';
import { BASE, FakeExchange, newCollection, widget } from './serve.fixture.ts';
import { serveCollection } from './serve.ts';

/** Passes what is written on to the handler of an upstream call. */
class PassingExchange extends FakeExchange {
  readonly handler: UpstreamHandler;
  aborted = false;

  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    super(request.method, request.path, request.headers);
    this.handler = handler;
    this.onClose(complete => {
      if (this.aborted) return;
      if (complete) handler.onEnd();
      else handler.onError(new UpstreamError('reset', 'cut'));
    });
  }

  override writeHead(status: number, headers: readonly string[]): void {
    super.writeHead(status, headers);
    if (!this.aborted) this.handler.onHead(status, headers);
  }

  override write(chunk: Uint8Array | string): boolean {
    if (!this.aborted) this.handler.onData(Buffer.from(chunk));
    return super.write(chunk);
  }
}

/** The collection as an upstream of its own, whose streams can be cut. */
class CollectionUpstream implements Upstream {
  readonly name = 'collection';
  readonly open = new Set<PassingExchange>();
  readonly #collection: MutableCollection;

  constructor(collection: MutableCollection) {
    this.#collection = collection;
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const exchange = new PassingExchange(request, handler);
    this.open.add(exchange);
    exchange.onClose(() => this.open.delete(exchange));
    const target = parseTarget(request.path);
    setImmediate(() => {
      if (!exchange.aborted) void serveCollection(exchange, requestInfo('GET', target), target.query, this.#collection);
    });
    return {
      resume: () => {},
      abort: () => {
        exchange.aborted = true;
        exchange.leave();
      },
    };
  }

  stats() {
    return { unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: this.open.size };
  }

  async close(): Promise<void> {}
}

const step = fc.oneof(
  fc.record({ put: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ remove: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.constant('cut' as const),
  fc.constant('turn' as const),
);

describe('an informer on a served collection', () => {
  test('follows it through cuts and a window that is too small for what it misses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const collection = newCollection(3);
        const upstream = new CollectionUpstream(collection);
        const informer = createInformer({ upstream, path: BASE, name: 'widgets', backoff: { initial: 0.5, max: 1 } });
        informer.start();
        for (const action of steps) {
          if (action === 'cut') for (const exchange of [...upstream.open]) exchange.abort();
          else if (action === 'turn') await new Promise(resolve => setImmediate(resolve));
          else if ('put' in action) collection.set(widget(action.put));
          else collection.delete(widget(action.remove));
        }
        const versions = (objects: readonly { metadata?: { name?: string; resourceVersion?: string } }[]) =>
          objects.map(({ metadata }) => `${metadata?.name}@${metadata?.resourceVersion}`).sort();
        const agree = (): boolean =>
          informer.synced() && String(versions(informer.list())) === String(versions(collection.list().items));
        for (let i = 0; i < 1000 && !agree(); i += 1) await new Promise(resolve => setTimeout(resolve, 1));
        informer.stop();
        expect(versions(informer.list())).toEqual(versions(collection.list().items));
        expect(upstream.open.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
