/**
 * Row 20: a server is sent where it should not go (CVE-2020-8555, -8561, -8562). Behind `/services` there is one place that says where
 * services are: the file of the operator. What is no plain `https://host:port` there is refused as a whole; nothing that a client sends, and
 * nothing that a service answers (row 11), is ever an address.
 */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { cleanUp, eventually } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askRaw, askUntil, PATH, protocols, statusOf } from './clients.fixture.ts';
import { servingPair, startFleet } from './fleet.fixture.ts';
import { RecordingServer } from './recording.fixture.ts';

const fleet = await startFleet();
const elsewhere = await RecordingServer.start({ pair: servingPair() });
const { host } = new URL(elsewhere.url);
beforeEach(fleet.forget);
afterAll(cleanUp);

const refusals = (): number => fleet.logs().split('the addresses of the services could not be read').length - 1;

test.each([
  ['http', `http://${host}`],
  ['a user in it', `https://root:secret-password@${host}`],
  ['a path', `https://${host}/services/mirror`],
])('an address with %s leaves the last addresses in force, and nobody is asked there', async (_, url) => {
  const before = refusals();
  fleet.writeViews({ evil: [{ service: 'evil-vw', instance: '1', url }] });
  await eventually(() => refusals() > before);
  for (const protocol of protocols) {
    expect((await ask(fleet.port, protocol, { token: 'masters-token', path: '/services/evil/x' })).status).toBe(404);
    expect((await ask(fleet.port, protocol, { token: 'alice-token' })).status).toBe(200);
  }
  expect(elsewhere.requests).toEqual([]);
  expect(fleet.logs()).not.toContain('secret-password');

  // Only once the file is right again is the next fault told.
  const mended = { service: 'evil-vw', instance: '2', socketPath: `${fleet.folder}/recorded.sock` };
  fleet.writeViews({ evil: undefined, [`mended-${before}`]: [mended] });
  const question = { token: 'alice-token', path: `/services/mended-${before}/x` };
  await askUntil(fleet.port, question, ({ status }) => status === 200);
});

test('no header of a client says where its request goes', async () => {
  const headers = {
    ...{ 'X-Forwarded-Host': host, Forwarded: `host=${host}`, 'X-Original-Url': `${elsewhere.url}/x`, 'X-Rewrite-Url': '/x' },
    ...{ 'X-Forwarded-Proto': 'http', 'Proxy-Host': host, 'X-Host': host, Host: host },
  };
  for (const protocol of protocols) {
    const { Host, ...others } = headers;
    const question = { token: 'alice-token', headers: protocol === '1.1' ? headers : { ...others, ':authority': Host } };
    expect((await ask(fleet.port, protocol, question)).status).toBe(200);
    expect(fleet.shard.last.headers.join()).not.toContain(host);
  }
  const target = `GET ${elsewhere.url}${PATH} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer alice-token\r\n\r\n`;
  expect(statusOf(await askRaw(fleet.port, target))).toBe(400);
  expect(elsewhere.requests).toEqual([]);
});
