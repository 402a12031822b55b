/**
 * Row 25: names that are not ASCII, or not fit for a header. Node shows the bytes of a header as latin1 and sends a string as latin1, so a
 * name read and sent without care is another name; a line break in one ends the header and begins the next.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols, RECORDED, WATCH } from './clients.fixture.ts';
import { ALLOWED_PROXY, clientCA, requestHeaderCA, startFleet } from './fleet.fixture.ts';
import { respondWith, valuesOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const NAME = 'Jürgen Łukasz 用户 🐙';
/** One character per byte, as Node shows what came. */
const wire = (text: string): string => Buffer.from(text).toString('latin1');
const proxy = requestHeaderCA.issue({ commonName: ALLOWED_PROXY, usage: 'client' });
fleet.reviews.set('utf-8', { authenticated: true, user: { username: NAME, groups: [`${NAME}, and a comma`] } });
const certificate = clientCA.issue({ commonName: NAME, organizations: [`${NAME}, and a comma`], usage: 'client' });

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each([
    ['a token', { token: 'utf-8' }],
    ['a certificate', { pair: certificate }],
    ['a proxy', { pair: proxy, headers: { 'X-Remote-User': wire(NAME), 'X-Remote-Group': wire(`${NAME}, and a comma`) } }],
  ])('the name that comes with %s gets behind byte for byte', async (_, question) => {
    await ask(fleet.port, protocol, { ...question, path: RECORDED });
    await ask(fleet.port, protocol, question);
    expect(valuesOf(fleet.service.last, 'x-remote-user')).toEqual([wire(NAME)]);
    expect(valuesOf(fleet.service.last, 'x-remote-group')[0]).toBe(wire(`${NAME}, and a comma`));
    expect(valuesOf(fleet.shard.last, 'impersonate-user')).toEqual([wire(NAME)]);
    expect(fleet.shard.bytes).toContain(`${wire(NAME)}\r\n`);
  });

  test('and over the HTTP/2 of a watch to the shard', async () => {
    fleet.shard.respond = respondWith(200, { type: 'ADDED' });
    await ask(fleet.port, protocol, { token: 'utf-8', path: WATCH });
    expect([fleet.shard.last.httpVersion, valuesOf(fleet.shard.last, 'impersonate-user')]).toEqual(['2.0', [wire(NAME)]]);
  });

  test.each([
    ['name', { username: 'alice\r\nX-Remote-Group: system:masters' }],
    ['name', { username: 'alice\n' }],
    ['name', { username: ' alice' }],
    ['name', { username: 'alice\0' }],
    ['name', { username: 'alice\ud800' }],
    ['UID', { username: 'alice', uid: '1\r\n2' }],
    ['group', { username: 'alice', groups: ['dev\r\nX-Remote-Group: system:masters'] }],
    ['extra value', { username: 'alice', extra: { key: ['1\r\nX-Remote-Group: system:masters'] } }],
  ])('a user whose %s cannot be sent as it is, is refused: %j', async (what, user) => {
    const token = Buffer.from(JSON.stringify([protocol, what, user])).toString('hex');
    fleet.reviews.set(token, { authenticated: true, user });
    for (const path of [undefined, RECORDED]) {
      expect((await ask(fleet.port, protocol, { token, ...(path && { path }) })).status).toBe(401);
    }
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
    expect(fleet.reviewer.requests).toHaveLength(1);
  });

  // Who reads them lower-cases the name of the header and decodes it then, so that upper case has to be encoded too.
  test.each(['example.com/Key:With, all~of ît', 'authentication.kcp.io/scopes', '__proto__', '%41', 'a%'])(
    'the extra key %s is the same key behind',
    async key => {
      const token = `extra-${Buffer.from(key).toString('hex')}`;
      fleet.reviews.set(token, {
        authenticated: true,
        user: JSON.parse(`{"username":"a","extra":{${JSON.stringify(key)}:["ä"]}}`),
      });
      await ask(fleet.port, protocol, { token, path: RECORDED });
      await ask(fleet.port, protocol, { token });
      for (const [{ headers }, prefix] of [
        [fleet.service.last, 'x-remote-extra-'],
        [fleet.shard.last, 'impersonate-extra-'],
      ] as const) {
        const at = headers.findIndex(name => name.toLowerCase().startsWith(prefix));
        const name = (headers[at] as string).toLowerCase().slice(prefix.length);
        expect([decodeURIComponent(name), headers[at + 1]]).toEqual([key, wire('ä')]);
      }
    },
  );
});
