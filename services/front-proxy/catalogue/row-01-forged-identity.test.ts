/**
 * Row 1: forged identity headers (kcp GHSA-c8w2-fgvx-vhv4). What stands behind a proxy believes `X-Remote-*`; a proxy that lets through
 * one form of them lets anybody be anybody. A forged warrant in the extra headers alone is enough to own a shard.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, type Credentials, protocols, RECORDED } from './clients.fixture.ts';
import { clientCA, startFleet } from './fleet.fixture.ts';
import { identityOf } from './recording.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const FORGED = {
  'X-Remote-User': 'mallory',
  'X-Remote-Group': ['system:masters', 'mallory'],
  'X-Remote-Uid': 'mallory',
  'x-ReMoTe-eXtRa-authorization.kcp.io%2fwarrant': '{"user":"mallory","groups":["system:masters"]}',
  'X-Remote-Extra-Authentication.kcp.io%2Fscopes': 'cluster:mallory',
  // Servers that hand headers on as variables read these as the ones above.
  X_Remote_User: 'mallory',
  'X-Remote_Group': 'mallory',
  'X-Kcp-Vw-Authenticated-By': 'mallory',
  'X-Kcp-Vw-Impersonator': Buffer.from('{"username":"mallory"}').toString('base64url'),
  'X-Kcp-Vw-Record': '{"because":"mallory"}',
};
const TRAILERS = { 'x-remote-user': 'mallory', 'x-remote-group': 'system:masters' };

const callers: [string, Credentials, string][] = [
  ['a token', { token: 'alice-token' }, 'alice'],
  ['a certificate', { pair: clientCA.issue({ commonName: 'carol', organizations: ['dev'], usage: 'client' }) }, 'carol'],
  ['nothing', {}, 'system:anonymous'],
];

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each(callers)('who comes with %s is the same to a service whatever identity headers he sends', async (_, who, name) => {
    await ask(fleet.port, protocol, { ...who, path: RECORDED });
    const honest = identityOf(fleet.service.last);
    expect(honest).toContain(`x-remote-user: ${name}`);
    await ask(fleet.port, protocol, { ...who, path: RECORDED, headers: FORGED });
    expect(identityOf(fleet.service.last)).toEqual(honest);
    expect(fleet.service.everything).not.toContain('mallory');
  });

  test.each(callers)('of who comes with %s no identity header gets to a shard', async (_, who, name) => {
    const { status } = await ask(fleet.port, protocol, { ...who, headers: FORGED });
    expect(status).toBe(name === 'system:anonymous' ? 403 : 200);
    const seen = fleet.shard.requests.map(identityOf);
    expect(seen.flat().filter(line => line.startsWith('impersonate-user'))).toEqual(
      name === 'system:anonymous' ? [] : [`impersonate-user: ${name}`],
    );
    expect(seen.flat().join()).not.toContain('x-remote');
    expect(fleet.shard.everything).not.toContain('mallory');
    expect(fleet.audit()).not.toContain('mallory');
  });

  // Trailers come when everything has been decided; a server behind that merges them into the headers would decide anew.
  test.each(callers)('trailers of who comes with %s stay behind', async (_, who) => {
    const question = { ...who, method: 'POST', body: 'a body', trailers: TRAILERS };
    await ask(fleet.port, protocol, { ...question, path: RECORDED });
    await ask(fleet.port, protocol, question);
    expect(fleet.service.last).toMatchObject({ body: 'a body', trailers: [] });
    expect(fleet.service.everything + fleet.shard.everything).not.toContain('mallory');
  });
});
