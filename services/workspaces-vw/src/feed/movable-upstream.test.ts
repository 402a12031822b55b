import { expect, test } from '@jest/globals';
import { ScriptedUpstream } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { requestJson } from '@kcp-vw/shared/upstream/json.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { UpstreamError } from '@kcp-vw/shared/upstream/upstream.ts';
import { movableUpstream } from './movable-upstream.ts';

/** An address, whose calls fail when it is closed. */
class Address extends ScriptedUpstream implements ManagedUpstream {
  readonly basePath = '';
  isClosed = false;
  setCredentials(): void {}
  override async close(): Promise<void> {
    this.isClosed = true;
    for (const call of this.calls) call.fail('reset');
  }
}

const ask = (upstream: ReturnType<typeof movableUpstream>) => requestJson(upstream, { method: 'GET', path: '/who' });

test('requests go where the server is', async () => {
  const [before, after] = [new Address(), new Address()];
  const upstream = movableUpstream(before);
  const first = ask(upstream);
  (await before.next()).json(200, 'before');
  await upstream.moveTo(after);
  const second = ask(upstream);
  (await after.next()).json(200, 'after');
  expect([(await first).body, (await second).body]).toEqual(['before', 'after']);
  expect([before.isClosed, after.isClosed]).toEqual([true, false]);
});

test('who waits for an answer of the old address is told that the server was away, and that something may have been sent', async () => {
  const before = new Address();
  const upstream = movableUpstream(before);
  const waiting = ask(upstream).catch((error: unknown) => error);
  await before.next();
  await upstream.moveTo(new Address());
  const error = await waiting;
  expect(error).toBeInstanceOf(UpstreamError);
  expect(error).toMatchObject({ failure: 'unreachable', nothingSent: false });
});

test('an error of the address that is in use is passed on as it is', async () => {
  const address = new Address();
  const upstream = movableUpstream(address);
  const waiting = ask(upstream).catch((error: unknown) => error);
  (await address.next()).fail('timeout');
  expect(await waiting).toMatchObject({ failure: 'timeout' });
});

test('a server that takes no requests to upgrade says so', async () => {
  const { dial } = movableUpstream(new Address());
  await expect(dial?.(new AbortController().signal)).rejects.toMatchObject({ failure: 'unreachable' });
});

test('closing it closes the address in use', async () => {
  const [before, after] = [new Address(), new Address()];
  const upstream = movableUpstream(before);
  await upstream.moveTo(after);
  await upstream.close();
  expect(after.isClosed).toBe(true);
});
