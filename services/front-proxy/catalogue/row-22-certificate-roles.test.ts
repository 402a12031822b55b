/**
 * Row 22: a certificate is believed in another role than it was issued for. Node keeps the authorities of clients and those of proxies in
 * one list, so that `socket.authorized` is true for both: any client could then speak for others.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols, RECORDED } from './clients.fixture.ts';
import { ALLOWED_PROXY, clientCA, FRONT_PROXY, requestHeaderCA, serverCA, startFleet } from './fleet.fixture.ts';
import { identityOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const CLAIM = { 'X-Remote-User': 'mallory', 'X-Remote-Group': 'system:masters' };
const named = { commonName: ALLOWED_PROXY, usage: 'client' } as const;

describe.each(protocols)('over HTTP/%s', protocol => {
  test('a client’s certificate is the client, whatever it claims and whatever it is called', async () => {
    await ask(fleet.port, protocol, { pair: clientCA.issue(named), path: RECORDED, headers: CLAIM });
    expect(identityOf(fleet.service.last)).toContain(`x-remote-user: ${ALLOWED_PROXY}`);
    expect(fleet.service.everything).not.toMatch(/mallory|system:masters/);
  });

  test('a proxy’s certificate with a name that is not allowed is refused, with a claim, without, and with a token', async () => {
    for (const commonName of ['another-proxy', FRONT_PROXY]) {
      const pair = requestHeaderCA.issue({ commonName, usage: 'client' });
      for (const question of [{ headers: CLAIM }, {}, { token: 'alice-token' }]) {
        for (const path of [undefined, RECORDED]) {
          expect((await ask(fleet.port, protocol, { ...question, pair, ...(path && { path }) })).status).toBe(401);
        }
      }
    }
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });

  test.each([
    ['of the authority that serving certificates come from', serverCA.issue(named)],
    ['of an authority of the same name', createAuthority({ commonName: 'requestheader-ca' }).issue(named)],
    ['that has expired', requestHeaderCA.issue({ ...named, expired: true })],
    ['that is for serving', requestHeaderCA.issue({ ...named, usage: 'server' })],
  ])('a certificate %s makes its owner nobody', async (_, pair) => {
    await ask(fleet.port, protocol, { pair, path: RECORDED, headers: CLAIM });
    expect(identityOf(fleet.service.last)).toContain('x-remote-user: system:anonymous');
    expect(fleet.service.everything).not.toMatch(/mallory|system:masters/);
    expect((await ask(fleet.port, protocol, { pair, headers: CLAIM })).status).toBe(403);
    expect(fleet.shard.requests).toEqual([]);
  });
});
