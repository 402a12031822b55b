/**
 * Clients that open watches and vanish must cost nothing: a stream to the shard that stays open behind each would end every server
 * sooner or later. It runs alone, since it counts what is open.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { target } from '../support/identities.ts';
import { heapOf, processes, stateOf, upstreamStreams } from '../support/operations.ts';

const WATCHES = 2_000;
const PER_SESSION = 200;
const ROUNDS = 10;
const PATH = '/services/initializingworkspaces/root:nobody/clusters/*/apis/core.kcp.io/v1alpha1/logicalclusters?watch=true';
/** Milliseconds for what ends a moment after its stream, before memory is looked at. */
const SETTLE = 500;
const MEGABYTE = 1024 * 1024;

const open: ClientHttp2Session[] = [];
const abandon = (): void => {
  // Not `close`: nobody says goodbye.
  for (const session of open.splice(0)) session.destroy();
};
afterAll(abandon);

async function openWatches(): Promise<void> {
  for (let opened = 0; opened < WATCHES; opened += PER_SESSION) {
    const { certificate: cert, key } = target.masters;
    const session = connect(target.virtualWorkspaceURL, { ca: target.servingAuthority, cert, key });
    session.on('error', () => session.destroy());
    open.push(session);
    await once(session, 'connect');
    await Promise.all(Array.from({ length: PER_SESSION }, () => openWatch(session)));
  }
}

async function openWatch(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ':path': PATH, accept: 'application/json' });
  stream.on('error', () => undefined).resume();
  const [headers] = await once(stream, 'response');
  if (headers[':status'] !== 200) throw new Error(`a watch was answered with ${headers[':status']}`);
}

async function sum(of: (name: string) => Promise<number>): Promise<number> {
  return (await Promise.all(processes.map(of))).reduce((total, value) => total + value, 0);
}

const describeOurs = processes.length > 0 ? describe : describe.skip;

describeOurs(`${WATCHES} watches opened and abandoned, ${ROUNDS} times`, () => {
  const heap: number[] = [];
  const resident: number[] = [];

  test(
    'leave no stream to the shard behind',
    async () => {
      const before = await sum(upstreamStreams);
      const gone: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await openWatches();
        expect(await sum(upstreamStreams)).toBeGreaterThanOrEqual(WATCHES);
        const began = performance.now();
        abandon();
        await eventually('the streams to the shard are gone', async () => {
          // kcp's own clients come and go with their watches; ours were thousands.
          expect((await sum(upstreamStreams)) - before).toBeLessThanOrEqual(processes.length * 2);
        });
        gone.push(performance.now() - began);
        await sleep(SETTLE);
        heap.push((await sum(heapOf)) / MEGABYTE);
        resident.push((await sum(async name => (await stateOf(name)).memory.rss)) / MEGABYTE);
      }
      const list = (values: number[]): string => values.map(Math.round).join(' ');
      process.stdout.write(`after each round, MB: heap ${list(heap)}; resident ${list(resident)}; ms until gone ${list(gone)}\n`);
    },
    5 * 60_000,
  );

  // The heap without its garbage. Resident memory follows the size that V8 gives the heap, which grows for a while and then stays.
  test('leave the heap as large as the first rounds have made it', () => {
    const early = Math.max(...heap.slice(0, 3));
    const late = Math.max(...heap.slice(-3));
    expect(late).toBeLessThan(early * 1.1 + 5);
  });
});
