import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createDrain } from '../answer/drain.ts';
import { createEngine } from '../answer/engine.ts';
import { sendStatus } from '../answer/send.ts';
import type { Caller } from '../authn/identity.ts';
import { notFound, StatusError } from '../kube/errors.ts';
import type { Handler } from '../listener/exchange.ts';
import {
  cleanUp,
  connectRaw,
  eventually,
  exchangeRaw,
  onCleanUp,
  parseRaw,
  serveTls,
  until,
  untilClosed,
} from '../listener/listener.fixture.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { createApiDocuments } from '../view/documents.ts';
import { createViewHost } from '../view/host.ts';
import { type Answer, allow, type Call, defineView, deny, forward, refuse, serve, transform } from '../view/view.ts';
import { notUpgradable } from './execute-upgrade.ts';
import { headerLines, SPDY_SWITCHED, SWITCHED, serveBackend, spdy, type Taken, upstreamTo, webSocket } from './tunnel.fixture.ts';
import { upgradesTo } from './upgrades.ts';

afterEach(cleanUp);

const alice: Caller = { name: 'alice', uid: '', groups: ['a,b', 'c'], extra: {}, method: 'token' };
const PODS = '/services/v/clusters/root/api/v1/namespaces/d/pods';
const WATCH = `${PODS}?watch=1&labelSelector=x%3Dy`;
const because = 'a rule';

const switching = ({ socket, received }: Taken): void =>
  void socket.write(`${received.includes('SPDY/3.1') ? SPDY_SWITCHED : SWITCHED}\r\n`);

/** A listener, a view whose answer a test gives, the engine, and a shard that does what a test says. */
async function serveView(
  answer: (call: Call) => Answer,
  { shard = switching, allowed = true, path = '/clusters/:cluster' } = {},
) {
  const backend = await serveBackend(shard);
  const drain = createDrain();
  const view = defineView({
    name: 'v',
    path,
    apis: () => undefined,
    authorize: () => (allowed ? allow(because) : deny('not you')),
    answer,
  });
  const engine = createEngine({ shard: upstreamTo(backend), drain });
  const internal: StatusError[] = [];
  const host = createViewHost({
    views: [view],
    engine,
    documents: createApiDocuments('host'),
    onError: error => void internal.push(error),
  });
  const handler: Handler = exchange => host(exchange, alice, parseTarget(exchange.url), {});
  const errors: unknown[] = [];
  const served = await serveTls(handler, { onUpgrade: upgradesTo({ handler, onError: error => void errors.push(error) }) });
  onCleanUp(() => expect([errors, internal.map(({ message }) => message)]).toEqual([[], []]));
  const ask = async (request: string) => parseRaw(await exchangeRaw(served.port, request));
  return { ...served, taken: backend.taken, ask, drain };
}

describe('a forwarded watch', () => {
  test('reaches the shard as it would over HTTP: cluster, identity, selector, and who asks', async () => {
    const { port, taken } = await serveView(() =>
      forward({ because, cluster: '*', identity: 'hash', select: 'claimed=yes', as: alice }),
    );
    const socket = await connectRaw(port);
    const received = until(socket, '\r\n\r\n');
    const forged =
      'X-Remote-User: admin\r\nImpersonate-Group: system:masters\r\nAuthorization: Bearer t\r\nImpersonate_User: root\r\n';
    socket.write(webSocket(WATCH, `Origin: https://a\r\n${forged}`));
    expect(await received).toMatch(/^HTTP\/1\.1 101 /);
    expect(taken[0]?.received.split(' ')[1]).toBe(
      '/clusters/*/api/v1/namespaces/d/pods:hash?watch=1&labelSelector=claimed%3Dyes%2Cx%3Dy',
    );
    const sent = headerLines(taken[0] as Taken);
    expect(sent.filter(line => /impersonate|remote|authorization/.test(line))).toEqual([
      'impersonate-user: alice',
      'impersonate-group: a,b',
      'impersonate-group: c',
    ]);
    expect(sent).toContain('origin: https://a');
  });

  test('ends when the access to it does, and when the process shuts down', async () => {
    const ends: ((reason: string) => void)[] = [];
    const until_ = (end: (reason: string) => void) => {
      ends.push(end);
      return () => undefined;
    };
    const { port, taken, drain } = await serveView(() => forward({ because, until: until_ }));
    for (const end of [() => ends[0]?.('the access has ended'), () => drain.begin()]) {
      const socket = await connectRaw(port);
      const closed = untilClosed(socket);
      socket.write(webSocket(WATCH));
      await eventually(() => socket.bytesRead > 0);
      end();
      await closed;
    }
    await eventually(() => taken.length === 2 && taken.every(({ isClosed }) => isClosed));
  });

  // Over HTTP the watch would be open on nothing until the shard serves it, in events that are made here.
  test('of what the shard does not serve yet is refused, to be asked for again', async () => {
    const shard = ({ socket }: Taken): void =>
      void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n404 page not found');
    const emptyUntilServed = { kind: 'Pod', collection: '/x' };
    const { ask } = await serveView(() => forward({ because, emptyUntilServed }), { shard });
    expect(await ask(webSocket(WATCH))).toMatchObject({ status: 503, head: expect.stringContaining('retry-after: 1') });
    const without = await serveView(() => forward({ because }), { shard });
    expect(await without.ask(webSocket(WATCH))).toMatchObject({ status: 404, body: '404 page not found' });
  });

  // A shard of kcp answers that from the objects of all APIs of the name, whoever's they are; over HTTP the objects are made smaller here.
  test('of all logical clusters for metadata only is refused, and for a table asked for as one', async () => {
    const { ask, port, taken } = await serveView(() => forward({ because, cluster: '*', identity: 'hash', customKind: 'Pod' }));
    const reduced = await ask(webSocket(WATCH, 'Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1\r\n'));
    expect([reduced.status, taken]).toEqual([406, []]);
    const socket = await connectRaw(port);
    const received = until(socket, '\r\n\r\n');
    const either =
      'Accept: application/json;as=Table;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1\r\n';
    socket.write(webSocket(WATCH, either));
    await received;
    expect(headerLines(taken[0] as Taken).filter(line => line.startsWith('accept:'))).toEqual([
      'accept: application/json;as=table;g=meta.k8s.io;v=v1',
    ]);
  });
});

describe('a forwarded connection', () => {
  test('to a container passes, over SPDY and WebSocket, and outlives the beginning of a drain', async () => {
    const { port, taken, drain } = await serveView(() => forward({ because, as: alice }));
    const sockets: Socket[] = [];
    for (const request of [spdy(`${PODS}/p/exec?command=ls`), webSocket(`${PODS}/p/log?follow=true`)]) {
      const socket = await connectRaw(port);
      sockets.push(socket);
      const received = until(socket, '\r\n\r\n');
      socket.write(request);
      expect(await received).toMatch(/^HTTP\/1\.1 101 /);
    }
    drain.begin();
    for (const { socket } of taken) socket.write('still here');
    await Promise.all(sockets.map(socket => until(socket, 'still here')));
    expect(taken.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    expect(taken.map(({ received }) => received.split('\r\n')[0])).toEqual([
      'POST /clusters/root/api/v1/namespaces/d/pods/p/exec?command=ls HTTP/1.1',
      'GET /clusters/root/api/v1/namespaces/d/pods/p/log?follow=true HTTP/1.1',
    ]);
  });

  test.each<[string, Answer]>([
    ['has to be visible', forward({ because, as: alice, guard: { visible: () => true } })],
    ['has to be admitted', forward({ because, as: alice, guard: { admit: () => undefined } })],
    ['has to be selected', forward({ because, as: alice, select: 'a=b' })],
    // `GET …/exec` over WebSocket is a `get` to RBAC, and reads may be sent as the service, whom the shard refuses nothing.
    ['would be reached as the service itself', forward({ because })],
  ])('to an object that %s is refused', async (_name, answer) => {
    const { ask, taken } = await serveView(() => answer);
    const { status, body } = await ask(spdy(`${PODS}/p/exec`));
    expect([status, JSON.parse(body).reason, taken]).toEqual([400, 'BadRequest', []]);
  });
});

// What is changed or made here would come to the client unchanged, or not at all.
test.each<[string, Answer]>([
  ['transformed', transform({ because, object: () => undefined, reads: 'object' })],
  ['served from here', serve({} as never, because)],
])('a watch that is %s is refused, and the shard is not asked', async (_name, answer) => {
  const { ask, taken } = await serveView(() => answer);
  const { status, body } = await ask(webSocket(WATCH));
  expect([status, JSON.parse(body).kind, taken]).toEqual([400, 'Status', []]);
});

test('what a view refuses, or does not allow, is refused with its own error', async () => {
  const { ask } = await serveView(() => refuse(notFound({ group: '', resource: 'pods' }, 'p')));
  expect((await ask(webSocket(WATCH))).status).toBe(404);
  const forbidden = await serveView(() => forward({ because }), { allowed: false });
  expect((await forbidden.ask(webSocket(WATCH))).status).toBe(403);
  expect(forbidden.taken).toEqual([]);
});

describe('a request that no API server would upgrade', () => {
  const paths = [
    PODS,
    `${PODS}/p`,
    `${PODS}/p/status`,
    `${PODS}/p/log`,
    `${PODS}/p?watch=1`,
    '/services/v/clusters/root/version',
  ];
  test.each(paths)('%s is refused before the view is asked for an answer', async path => {
    const { ask, taken } = await serveView(() => {
      throw new Error('the view was asked');
    });
    expect((await ask(webSocket(path))).status).toBe(400);
    expect((await ask(spdy(path))).status).toBe(400);
    expect(taken).toEqual([]);
  });

  // It would be answered with the events as plain HTTP.
  test('is a watch over SPDY', () => {
    const target = parseTarget('/api/v1/watch/pods');
    const request = requestInfo('POST', target);
    expect(notUpgradable(request, target.query, 'SPDY/3.1')?.code).toBe(400);
    expect(notUpgradable(request, target.query, 'websocket')).toBeUndefined();
  });
});

test('a refusal at the host is a Status over an upgrade, too', async () => {
  const { port } = await serveTls(() => undefined, {
    onUpgrade: upgradesTo({
      handler: exchange => sendStatus(exchange, new StatusError('TooManyRequests', 'too many', { retryAfterSeconds: 7 })),
      onError: () => undefined,
    }),
  });
  expect(parseRaw(await exchangeRaw(port, webSocket(WATCH)))).toMatchObject({
    status: 429,
    head: expect.stringContaining('retry-after: 7'),
  });
});
