/**
 * The rows over a request to leave HTTP, which takes another way through Node than all others: what a proxy does in its usual handler is
 * not done to it (rows 1, 3, 8, 9, 10, 11, 13, 23, 26, 27 and 29).
 */
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  cleanUp,
  connectRaw,
  eventually,
  resetConnection,
  until,
  untilClosed,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import { spdy, webSocket } from '@kcp-vw/shared/tunnel/tunnel.fixture.ts';
import { ask, askRaw, type Credentials, PATH, protocols, RECORDED, statusOf } from './clients.fixture.ts';
import { clientCA, SHARD_TOKEN, startFleet } from './fleet.fixture.ts';
import { identityOf, respondWith, valuesOf } from './recording.fixture.ts';

const fleets = { 'a socket': await startFleet(), TLS: await startFleet({ hop: 'tls' }) };
beforeEach(async () => {
  for (const { forget, shard, service } of Object.values(fleets)) {
    // The tunnels of the test before.
    shard.breakConnections();
    service.breakConnections();
    await eventually(() => shard.open + service.open === 0);
    forget();
    shard.acceptUpgrades();
    service.acceptUpgrades();
  }
});
afterAll(cleanUp);

const EXEC = '/services/mirror/clusters/root/api/v1/namespaces/default/pods/x/exec?command=sh';
const ALICE = 'Authorization: Bearer alice-token\r\n';
const FORGED = [
  ...['X-Remote-User: mallory', 'X-Remote-Group: system:masters', 'X-Remote-Group: mallory', 'X-Remote-Uid: mallory'],
  ...['x-ReMoTe-eXtRa-authorization.kcp.io%2fwarrant: {"user":"mallory"}', 'X_Remote_User: mallory', 'X-Remote_Group: mallory'],
  ...['X-Kcp-Vw-Authenticated-By: mallory', 'X-Kcp-Vw-Impersonator: mallory', 'Cookie: mallory', 'Forwarded: for=mallory', ''],
].join('\r\n');
const kinds = { WebSocket: webSocket, SPDY: spdy };
const certificate = clientCA.issue({ commonName: 'carol', organizations: ['dev'], usage: 'client' });
const callers: [string, string, Credentials, string][] = [
  ['a token', ALICE, { token: 'alice-token' }, 'alice'],
  ['a certificate', '', { pair: certificate }, 'carol'],
  ['nothing', '', {}, 'system:anonymous'],
];

describe.each(Object.entries(fleets))('to a service behind %s', (_, fleet) => {
  const nothingIsOpen = (): Promise<void> => eventually(() => fleet.shard.open + fleet.service.open === 0);
  async function open(request: string, { pair }: Credentials = {}): Promise<{ socket: TLSSocket; head: string }> {
    const socket = await connectRaw(fleet.port, pair ? { cert: pair.certPem, key: pair.keyPem } : {});
    const head = until(socket, '\r\n\r\n');
    socket.write(request);
    return { socket, head: await head };
  }

  describe.each(Object.entries(kinds))('over %s', (_kind, upgradeOf) => {
    test.each(callers)('row 1: who comes with %s is the same whatever he claims', async (_name, line, who, name) => {
      await ask(fleet.port, '1.1', { ...who, path: RECORDED });
      const honest = identityOf(fleet.service.last);
      expect(statusOf((await open(upgradeOf(RECORDED, line + FORGED), who)).head)).toBe(101);
      expect(identityOf(fleet.service.last)).toEqual(honest);
      expect(honest).toContain(`x-remote-user: ${name}`);
      const { head } = await open(upgradeOf(EXEC, line + FORGED), who);
      expect(statusOf(head)).toBe(name === 'system:anonymous' ? 403 : 101);
      if (name !== 'system:anonymous') expect(identityOf(fleet.shard.last)).toContain(`impersonate-user: ${name}`);
      expect(fleet.service.everything + fleet.shard.everything).not.toContain('mallory');
    });

    test('row 3: an expectation changes nothing of that', async () => {
      await open(upgradeOf(EXEC, `Expect: 100-continue\r\n${ALICE}${FORGED}`));
      expect(identityOf(fleet.shard.last)).toContain('impersonate-user: alice');
      expect([valuesOf(fleet.shard.last, 'expect'), fleet.shard.everything.includes('mallory')]).toEqual([[], false]);
    });

    test('row 8: what Connection names is not taken out of what we add', async () => {
      const named = 'Connection: Upgrade, X-Remote-User, Impersonate-User, Impersonate-Group, Authorization, Audit-Id';
      await open(upgradeOf(EXEC, ALICE));
      const honest = identityOf(fleet.shard.last);
      await open(upgradeOf(EXEC, ALICE).replace('Connection: Upgrade', named));
      expect(identityOf(fleet.shard.last)).toEqual(honest);
      expect(valuesOf(fleet.shard.last, 'connection').map(value => value.toLowerCase())).toEqual(['upgrade']);
      expect(valuesOf(fleet.shard.last, 'audit-id')).toHaveLength(1);
    });

    test.each([
      [200, 502],
      [302, 502],
      [401, 502],
      [403, 403],
      [500, 500],
    ])(
      'rows 9 and 11: an answer %i behind is a %i, the last of its connection, and nothing behind it is heard',
      async (code, told) => {
        fleet.shard.forget();
        fleet.shard.respond = respondWith(code, { kind: 'Status', code }, { location: 'https://evil.example/' });
        const received = await askRaw(fleet.port, `${upgradeOf(EXEC, ALICE)}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
        expect([statusOf(received), received.match(/HTTP\/1\.1 \d/g)?.length, received.includes('evil')]).toEqual([
          told,
          1,
          told < 502,
        ]);
        await nothingIsOpen();
        expect(fleet.shard.everything).not.toContain('smuggled');
      },
    );

    test('row 10: bytes go both ways, those included that came with the request', async () => {
      const { socket } = await open(`${upgradeOf(EXEC, ALICE)}early `);
      await eventually(() => fleet.shard.last.body === 'early ');
      const echoed = until(socket, 'late');
      socket.write('late');
      expect(await echoed).toContain('late');
      expect(fleet.shard.last.body).toBe('early late');
    });

    test('row 13: who is not of masters impersonates nobody', async () => {
      const headers = `${ALICE}Impersonate-User: mallory\r\n`;
      expect(statusOf(await askRaw(fleet.port, upgradeOf(EXEC, headers)))).toBe(403);
      expect(fleet.shard.requests).toEqual([]);
    });

    test('row 26: who leaves takes his tunnel away from the shard', async () => {
      const tunnels = await Promise.all(Array.from({ length: 5 }, () => open(upgradeOf(EXEC, ALICE))));
      expect(fleet.shard.open).toBe(5);
      for (const [i, { socket }] of tunnels.entries()) i % 2 === 0 ? resetConnection(socket) : socket.destroy();
      await nothingIsOpen();
    });

    test('row 27: where the shard dies the client’s connection ends', async () => {
      const { socket } = await open(upgradeOf(EXEC, ALICE));
      const closed = untilClosed(socket);
      fleet.shard.breakConnections();
      await closed;
    });
  });

  test('row 23: a token among the subprotocols is used, and neither written down nor sent on', async () => {
    const canary = 'canary-subprotocol';
    fleet.reviews.set(canary, { authenticated: true, user: { username: 'alice' } });
    const encoded = Buffer.from(canary).toString('base64url');
    const line = `Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${encoded}, v4.channel.k8s.io\r\n`;
    const { head, socket } = await open(webSocket(EXEC, line));
    expect([statusOf(head), identityOf(fleet.shard.last).includes('impersonate-user: alice')]).toEqual([101, true]);
    socket.destroy();
    await nothingIsOpen();
    const wrong = await askRaw(fleet.port, webSocket(EXEC, line.replace(encoded, `${encoded}AA`)));
    expect(statusOf(wrong)).toBe(401);
    await eventually(() => fleet.audit().includes('"code":101'));
    const written = [head, wrong, fleet.logs(), fleet.audit(), fleet.shard.everything.replaceAll(SHARD_TOKEN, '')];
    for (const text of written) for (const secret of [canary, encoded, SHARD_TOKEN]) expect(text.includes(secret)).toBe(false);
  });

  test('row 29: tunnels that break off on either side leave nothing, and the front proxy serves as before', async () => {
    for (let round = 0; round < 5; round++) {
      const tunnels = await Promise.all(
        Array.from({ length: 20 }, (_, i) => open((i % 2 === 0 ? webSocket : spdy)(i % 3 === 0 ? RECORDED : EXEC, ALICE))),
      );
      for (const [i, { socket }] of tunnels.entries()) {
        socket.write('bytes');
        if (i % 4 !== 3) resetConnection(socket);
      }
      fleet.shard.breakConnections();
      fleet.service.breakConnections();
      await nothingIsOpen();
    }
    fleet.forget();
    for (const protocol of protocols)
      expect((await ask(fleet.port, protocol, { token: 'alice-token', path: PATH })).status).toBe(200);
    expect(fleet.logs()).not.toContain('a request was not handled');
  });
});
