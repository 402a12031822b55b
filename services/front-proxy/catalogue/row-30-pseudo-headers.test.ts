/**
 * Row 30: from HTTP/2 to HTTP/1.1. Pseudo-headers make http-proxy throw; and what HTTP/2 carries as the value of a field, with line breaks
 * in it, is a request of its own once it is written as HTTP/1.1. All other rows are tested over HTTP/2 as well.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askFrames, fieldsOf, PATH, RECORDED } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { identityOf, type Recorded } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Remote-User: system:admin\r\n\r\n';
const ALICE = ['authorization', 'Bearer alice-token'] as const;
const whole = fieldsOf({ token: 'alice-token' });
const without = (name: string) => whole.filter(([field]) => field !== name);

/** nghttp2 leaves out a field that is none, as if it had not been sent. */
const leftOut: Record<string, readonly [string, string]> = {
  'a line break in its value': ['x', `y\r\n\r\n${SMUGGLED}`],
  'a line feed in its value': ['x', 'y\nX-Remote-User: system:admin'],
  'a NUL in its value': ['x', 'system:admin\0'],
  'a line break in its name': ['x: y\r\nX-Remote-User', 'system:admin'],
  'a colon in its name': ['x-remote-user:', 'system:admin'],
  'no name': ['', 'system:admin'],
};

const corpus: Record<string, readonly (readonly [string, string])[]> = {
  'a name in upper case': [...whole, ['X-Remote-User', 'system:admin']],
  'a line break in :path': [...without(':path'), [':path', `${PATH} HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`]],
  'a space in :path': [...without(':path'), [':path', `${PATH} HTTP/1.1`]],
  'a line break in :method': [...without(':method'), [':method', `GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\nGET`]],
  'a line break in :authority': [...without(':authority'), [':authority', 'a\r\nX-Remote-User: system:admin']],
  'another :scheme': [...without(':scheme'), [':scheme', 'http']],
  'a user in :authority': [...without(':authority'), [':authority', 'root:secret@a']],
  'no :path': without(':path'),
  'no :method': without(':method'),
  'an empty :path': [...without(':path'), [':path', '']],
  'two :path': [[':path', '/services/other'], ...whole],
  'two :method': [[':method', 'DELETE'], ...whole],
  'a pseudo-header behind a header': [...without(':path'), [':path', PATH]],
  'a pseudo-header that nobody knows': [[':x-remote-user', 'system:admin'], ...whole],
  'the pseudo-header of an answer': [[':status', '200'], ...whole],
  ':protocol, as for WebSockets': [[':protocol', 'websocket'], ...whole],
  CONNECT: [[':method', 'CONNECT'], [':authority', 'a:443'], ALICE],
};

describe('a request is not carried on over HTTP/1.1 if it has', () => {
  test.each(Object.keys(corpus))('%s', async name => {
    const { end, text } = await askFrames(fleet.port, corpus[name] ?? []);
    if (end === 'answered' && text !== '') expect(JSON.parse(text).code).toBeGreaterThanOrEqual(400);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
    // Nothing of it waits on the connections behind, either.
    expect((await ask(fleet.port, '1.1', { token: 'alice-token' })).status).toBe(200);
    expect(fleet.shard.everything).not.toMatch(/smuggled|system:admin/);
  });
});

test.each(Object.keys(leftOut))('of a request with a field that has %s, the rest is one request', async name => {
  for (const path of [PATH, RECORDED]) {
    fleet.forget();
    await askFrames(fleet.port, fieldsOf({ path, token: 'alice-token' }, leftOut[name] as [string, string]));
    await ask(fleet.port, '1.1', { token: 'bob-token', path });
    const { requests, everything } = path === PATH ? fleet.shard : fleet.service;
    expect(requests.length).toBeLessThanOrEqual(2);
    expect(identityOf(requests.at(-1) as Recorded).join()).toContain('-user: bob');
    expect(everything).not.toMatch(/smuggled|system:admin/);
  }
});

test('no pseudo-header becomes a header behind, and none of HTTP/1.1 comes back', async () => {
  for (const path of [PATH, RECORDED]) {
    const { status, headers } = await ask(fleet.port, '2.0', { token: 'alice-token', path });
    expect(status).toBe(200);
    expect(Object.keys(headers).filter(name => /^(?:connection|keep-alive|transfer-encoding|:(?!status))/.test(name))).toEqual(
      [],
    );
    const { last } = path === PATH ? fleet.shard : fleet.service;
    expect(last.headers.filter(name => name.startsWith(':'))).toEqual([]);
  }
});

test('whatever :authority says, the Host behind is who is asked there', async () => {
  const fields = [[':method', 'GET'], [':scheme', 'https'], [':authority', 'evil.example:1'], [':path', PATH], ALICE];
  const { end } = await askFrames(fleet.port, fields as never);
  expect([end, fleet.shard.everything.includes('evil')]).toEqual(['answered', false]);
});
