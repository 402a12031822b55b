/**
 * kcp's shards once sent some users' requests in the name of others: what had been worked out for one request was kept in a transport that
 * all of them shared. Here many users come at the same time, over a few connections and by every way to be somebody.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import type { KeyPair } from '@kcp-vw/pki/pki.ts';
import { callerFromFrontProxy } from '@kcp-vw/shared/authn/request-headers.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { openHttp2, request2 } from '@kcp-vw/shared/listener/client.fixture.ts';
import type { Handler } from '@kcp-vw/shared/listener/exchange.ts';
import {
  answer,
  cleanUp,
  clientCA,
  connectRaw,
  parseRaw,
  requestHeaderCA,
  untilClosed,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import { startFront, startService } from '../fleet.fixture.ts';
import { createClientLimiter } from './client-limits.ts';

afterEach(cleanUp);

const withPair = ({ certPem: cert, keyPem: key }: KeyPair): ConnectionOptions => ({ cert, key });
const proxy = withPair(requestHeaderCA.issue({ commonName: 'front-proxy', usage: 'client' }));
const masters = withPair(clientCA.issue({ commonName: 'shard', organizations: ['system:masters'], usage: 'client' }));
const people = Array.from({ length: 5 }, (_, i) =>
  clientCA.issue({ commonName: `person-${i}`, organizations: [`team-${i}`], usage: 'client' }),
);

/** Whom the service was told a request is from, the body that came with it, and its path; answered after a while that is different for each. */
const whoIsIt: Handler = async exchange => {
  const { name, groups } = callerFromFrontProxy(exchange.headers);
  let body = '';
  for await (const chunk of exchange.body ?? []) body += String(chunk);
  await sleep(Math.random() * 20);
  answer(exchange, JSON.stringify({ name, group: groups[0], body, url: exchange.url }));
};

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expected: { readonly name: string; readonly group: string };
}

/** The ways to be somebody: over which connection, and as whom its `i`-th request comes. */
const WAYS: readonly { readonly tls: ConnectionOptions; readonly request: (i: number) => Request }[] = [
  {
    tls: {},
    request: i => ({
      headers: { authorization: `Bearer token-${i % 40}`, 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
      ...(i % 2 === 0 && { body: `body-${i}` }),
      expected: { name: `token-${i % 40}`, group: `group of token-${i % 40}` },
    }),
  },
  {
    tls: proxy,
    request: i => ({
      headers: { 'x-remote-user': `proxied-${i}`, 'x-remote-group': `group-${i}` },
      expected: { name: `proxied-${i}`, group: `group-${i}` },
    }),
  },
  {
    tls: masters,
    request: i => ({
      headers: { 'impersonate-user': `acted-as-${i}`, 'impersonate-group': `group-${i}` },
      ...(i % 3 === 0 && { body: `body-${i}` }),
      expected: { name: `acted-as-${i}`, group: `group-${i}` },
    }),
  },
  ...people.map((pair, i) => ({
    tls: withPair(pair),
    request: () => ({ headers: {}, expected: { name: `person-${i}`, group: `team-${i}` } }),
  })),
  { tls: {}, request: () => ({ headers: {}, expected: { name: 'system:anonymous', group: 'system:unauthenticated' } }) },
];

/** The others have a connection each. */
const OVER_HTTP2 = 970;

test('of a thousand users at the same time, none is taken for another', async () => {
  const services = await Promise.all([startService(whoIsIt), startService(whoIsIt)]);
  const limits = createClientLimiter({ requestsInFlight: 1_000, watches: 1_000, requestsPerSecond: 0, burst: 1 });
  const { port } = await startFront(services, { limits }, { limits: { http2Streams: DEFAULT_LIMITS.http2Streams } });

  const outcomes: Promise<{ readonly got: unknown; readonly expected: unknown }>[] = [];
  const sessions = WAYS.map(({ tls }) => openHttp2(port, tls));
  for (let i = 0; i < OVER_HTTP2; i++) {
    const way = i % WAYS.length;
    const { headers, body, expected } = (WAYS[way] as (typeof WAYS)[number]).request(i);
    const url = `/services/a/${i}`;
    const method = body === undefined ? 'GET' : 'POST';
    outcomes.push(
      request2(sessions[way] as (typeof sessions)[number], { ...headers, ':path': url, ':method': method }, body).then(
        response => ({
          got: JSON.parse(response.body),
          expected: { ...expected, body: body ?? '', url },
        }),
      ),
    );
  }
  for (let i = OVER_HTTP2; i < 1_000; i++) {
    const { tls, request } = WAYS[i % WAYS.length] as (typeof WAYS)[number];
    const { headers, expected } = request(i);
    const url = `/services/a/${i}`;
    outcomes.push(askHttp1(port, tls, url, headers).then(got => ({ got, expected: { ...expected, body: '', url } })));
  }
  const all = await Promise.all(outcomes);
  expect(all).toHaveLength(1_000);
  expect(all.map(({ got }) => got)).toEqual(all.map(({ expected }) => expected));
}, 60_000);

async function askHttp1(
  port: number,
  tls: ConnectionOptions,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const socket = await connectRaw(port, tls);
  const received = untilClosed(socket);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines.join('')}\r\n`);
  return JSON.parse(parseRaw(await received).body);
}
