/**
 * Row 7: two `Host` or `Authorization` headers. Node takes the first, others the last or both: who is authenticated here is not who is
 * believed behind, and where a request is routed here is not where it says that it goes.
 */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { askFrames, askRaw, fieldsOf, PATH, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const nobodyAsked = (): unknown => [fleet.shard.requests, fleet.service.requests, fleet.reviewer.requests];
const ALICE = ['authorization', 'Bearer alice-token'] as const;

test.each([
  ['two Hosts', 'Host: a\r\nHost: b\r\nAuthorization: Bearer alice-token\r\n'],
  ['two equal Hosts', 'Host: a\r\nhost: a\r\nAuthorization: Bearer alice-token\r\n'],
  ['no Host', 'Authorization: Bearer alice-token\r\n'],
  ['two Authorizations', 'Host: a\r\nAuthorization: Bearer alice-token\r\nauthorization: Bearer bob-token\r\n'],
  ['two equal Authorizations', 'Host: a\r\nAuthorization: Bearer alice-token\r\nAuthorization: Bearer alice-token\r\n'],
])('over HTTP/1.1 %s are refused before anybody is asked who that is', async (_, headers) => {
  expect(statusOf(await askRaw(fleet.port, `GET ${PATH} HTTP/1.1\r\n${headers}\r\n`))).toBe(400);
  expect(nobodyAsked()).toEqual([[], [], []]);
});

test.each([
  ['another Host than :authority', fieldsOf({ token: 'alice-token' }, ['host', 'b'])],
  ['two Hosts', fieldsOf({ token: 'alice-token' }, ['host', 'a'], ['host', 'b'])],
  ['two :authority', [...fieldsOf({}), [':authority', 'b'] as const, ALICE]],
  ['no :authority and no Host', [[':method', 'GET'] as const, [':scheme', 'https'] as const, [':path', PATH] as const, ALICE]],
  ['two Authorizations', fieldsOf({ token: 'alice-token' }, ['authorization', 'Bearer bob-token'])],
  ['two equal Authorizations', fieldsOf({ token: 'alice-token' }, ALICE)],
] as const)('over HTTP/2 %s are refused before anybody is asked who that is', async (_, fields) => {
  const { end, text } = await askFrames(fleet.port, fields);
  if (end === 'answered') expect(JSON.parse(text)).toMatchObject({ kind: 'Status', code: 400 });
  expect(nobodyAsked()).toEqual([[], [], []]);
});
