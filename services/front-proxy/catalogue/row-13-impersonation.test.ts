/**
 * Row 13: impersonation (GHSA-c7xh-gjv4-4jgv). Behind a proxy that is of masters, whatever `Impersonate-*` it lets through is allowed; and
 * a user's own `Impersonate-Group: system:masters` beside the user that the proxy sets makes masters of him.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols, RECORDED } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';
import { identityOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const forged: [string, Record<string, string>][] = [
  ['a user', { 'Impersonate-User': 'mallory' }],
  ['himself', { 'Impersonate-User': 'alice' }],
  ['a group alone', { 'Impersonate-Group': 'system:masters' }],
  ['himself with a group', { 'Impersonate-User': 'alice', 'Impersonate-Group': 'system:masters' }],
  ['a UID', { 'Impersonate-Uid': '1' }],
  ['a warrant', { 'Impersonate-Extra-Authorization.kcp.io%2fwarrant': '{"user":"mallory","groups":["system:masters"]}' }],
  ['what nobody has invented yet', { 'Impersonate-Everything': 'yes' }],
];

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each(forged)('who is not of masters and impersonates %s is refused, and nobody behind is asked', async (_, headers) => {
    for (const token of ['alice-token', undefined]) {
      for (const path of [undefined, RECORDED]) {
        const { status } = await ask(fleet.port, protocol, { ...(token && { token }), ...(path && { path }), headers });
        expect(status).toBe(403);
      }
    }
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });

  test('masters impersonate, and a service gets it as the identity and not as headers that impersonate', async () => {
    const headers = { 'Impersonate-User': 'carol', 'Impersonate-Group': 'dev' };
    await ask(fleet.port, protocol, { token: 'masters-token', path: RECORDED, headers });
    const [, method, ...rest] = identityOf(fleet.service.last);
    expect(identityOf(fleet.service.last).join()).not.toMatch(/impersonate-|root-of-all|system:masters/);
    expect([method, ...rest].join()).toContain('x-remote-user: carol');
  });

  test('a shard gets one user with his own groups, whoever impersonates', async () => {
    await ask(fleet.port, protocol, { token: 'masters-token', headers: { 'Impersonate-User': 'carol' } });
    await ask(fleet.port, protocol, { token: 'alice-token' });
    expect(fleet.shard.requests.map(identityOf)).toEqual([
      [
        'authorization: Bearer token-of-the-service-itself',
        ...['impersonate-group: system:authenticated', 'impersonate-user: carol'],
      ],
      [
        'authorization: Bearer token-of-the-service-itself',
        ...['impersonate-group: dev', 'impersonate-group: system:authenticated', 'impersonate-user: alice'],
      ],
    ]);
  });

  // client-go leaves out its own headers when it finds an Impersonate-User, even an empty one.
  test('impersonation of nobody is no request of masters', async () => {
    for (const headers of [{ 'Impersonate-User': '' }, { 'Impersonate-Group': 'dev' }]) {
      const { status } = await ask(fleet.port, protocol, { token: 'masters-token', headers });
      expect([status, fleet.shard.requests]).toEqual([400, []]);
    }
  });
});
