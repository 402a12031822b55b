import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../kube/objects.ts';
import { createInformer, type Informer, type InformerEvent } from './informer.ts';
import { ModelServer } from './model-server.fixture.ts';
import { settle } from './scripted.fixture.ts';

/** Objects as `name → uid@version`: what an informer must agree on with the server. */
const digest = (objects: Iterable<KubeObject>): Record<string, string> =>
  Object.fromEntries(
    Array.from(
      objects,
      ({ metadata }) => [metadata?.name ?? '', `${metadata?.uid}@${metadata?.resourceVersion}`] as const,
    ).sort(),
  );

/** Applies events one by one to an empty state, as strictly as a consumer that counts on them would. */
class Replay {
  readonly objects = new Map<string, KubeObject>();
  readonly violations: string[] = [];

  apply({ type, object, previous }: InformerEvent<KubeObject>): void {
    const name = object.metadata?.name ?? '';
    const held = this.objects.get(name);
    const expect = (holds: boolean, rule: string): void => {
      if (!holds) this.violations.push(`${type} ${name}: ${rule}`);
    };
    expect(held === previous, 'previous is what the consumer holds');
    expect(type === 'ADDED' ? held === undefined : held !== undefined, 'the type fits what the consumer holds');
    if (type === 'MODIFIED') {
      expect(held?.metadata?.resourceVersion !== object.metadata?.resourceVersion, 'the version changed');
      expect(held?.metadata?.uid === object.metadata?.uid, 'the uid did not change');
    }
    if (type === 'DELETED') this.objects.delete(name);
    else this.objects.set(name, object);
  }
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      turns: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(40)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('bookmark', 'compact', 'end', 'reset', 'expire', 'garble', 'upgrade', 'stop') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), back: fc.nat(6) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function perform(server: ModelServer, action: Step): Promise<void> {
  if ('name' in action) return action.kind === 'put' ? server.put(action.name) : server.remove(action.name);
  if ('turns' in action) {
    for (let i = 0; i < action.turns; i += 1) await new Promise(resolve => setImmediate(resolve));
    return;
  }
  if ('back' in action) {
    // A server that lost versions was down, and everybody has noticed.
    server.stop();
    for (let i = 0; i < 4; i += 1) await new Promise(resolve => setTimeout(resolve, 2));
    return server.restart(action.back);
  }
  const actions: Record<typeof action.kind, () => void> = {
    bookmark: () => server.bookmark(),
    compact: () => server.compact(),
    end: () => server.endStreams(),
    reset: () => server.resetStreams(),
    expire: () => server.expireStreams(),
    garble: () => server.garbleStreams(),
    upgrade: () => {
      server.streamsLists = !server.streamsLists;
    },
    stop: () => server.stop(),
  };
  actions[action.kind]();
}

const agree = (server: ModelServer, informer: Informer<KubeObject>): boolean =>
  JSON.stringify(digest(informer.list())) === JSON.stringify(digest(server.objects.values()));

async function converge(server: ModelServer, informer: Informer<KubeObject>): Promise<void> {
  for (let i = 0; i < 2000; i += 1) {
    if (informer.synced() && informer.status.connected && agree(server, informer)) return;
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  const states = { server: digest(server.objects.values()), informer: digest(informer.list()), status: informer.status };
  throw new Error(`the informer did not converge: ${JSON.stringify(states)}`);
}

describe('informer on a server that changes, breaks, forgets and restarts', () => {
  test('always ends with the objects of the server, and its events replay to the same state', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 30 }),
        async (streams, pageSize, steps) => {
          const server = new ModelServer(streams);
          server.put('a');
          server.put('b');
          const informer = createInformer({
            upstream: server,
            path: '/clusters/*/apis/example.dev/v1/things',
            name: 'things',
            pageSize,
            backoff: { initial: 0.5, max: 1 },
            indexes: { version: object => [object.metadata?.resourceVersion ?? ''] },
          });
          const replay = new Replay();
          informer.onEvent(event => replay.apply(event));
          informer.start();
          try {
            for (const action of steps) await perform(server, action);
            if (!server.reachable) server.restart(0);
            await converge(server, informer);

            expect(replay.violations).toEqual([]);
            expect(digest(replay.objects.values())).toEqual(digest(informer.list()));
            for (const object of informer.list()) {
              expect(informer.byIndex('version', object.metadata?.resourceVersion ?? '')).toEqual([object]);
            }
          } finally {
            informer.stop();
          }
          await settle();
          expect(server.openStreams).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
