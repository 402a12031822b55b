/**
 * Row 12: one path, read in two ways. A proxy decides by its reading, what stands behind serves by its own: `/services/mirror/../x` is
 * authorized as the one and served as the other. Express ignores case, `url.parse` turns `\` into `/`, and `new URL('//evil', base)` names
 * another host.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askFrames, askRaw, fieldsOf, protocols, RECORDED, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const REST = 'clusters/root/api/v1/secrets';
const corpus = [
  `//evil/services/mirror/${REST}`,
  `/services//mirror/${REST}`,
  `/services/mirror//${REST}`,
  `/./services/mirror/${REST}`,
  `/services/mirror/./${REST}`,
  `/services/mirror/../mirror/${REST}`,
  `/services/recorded/../mirror/${REST}`,
  `/services/mirror/%2e%2e/mirror/${REST}`,
  `/services/mirror/%2E./mirror/${REST}`,
  `/services%2fmirror/${REST}`,
  `/services/mirror%2f${REST}`,
  '/services/mirror/clusters/root%2fapi/v1/secrets',
  '/services/mirror/clusters/root%2f..%2fother/api/v1/secrets',
  '/services/mirror/clusters/root/api%2fv1/secrets',
  '/services/mirror/clusters/root/services%2fmirror',
  '/services/mirror/clusters/root/services/cache/x',
  '/services/mirror/clusters/root/clusters/other/api/v1/secrets',
  `/services/mirror%5c${REST}`,
  `/services\\mirror/${REST}`,
  `/services/mirror/clusters/root\\..\\other/api/v1/secrets`,
  `/services/mirror/clusters/root%00/api/v1/secrets`,
  `/services/mirror/clusters/root/api/v1/secrets#x`,
  `/services/mirror/%252e%252e/${REST}`,
  `/services/mirror/clusters/root%252fapi/v1/secrets`,
  `/services/mirror/clusters/%/api/v1/secrets`,
  `/services/mirror/clusters/%ff/api/v1/secrets`,
  `/SERVICES/mirror/${REST}`,
  `/services/MIRROR/${REST}`,
  '/services/mirror/CLUSTERS/root/api/v1/secrets',
  `/%73ervices2/mirror/${REST}`,
  '/services/mirror/clusters//api/v1/secrets',
  '/services/mirror/clusters',
  '/clusters/root/api/v1/secrets',
  `/services/constructor/${REST}`,
  `/services/__proto__/${REST}`,
  `/services/mirror/${REST}?labelSelector=a;watch=true`,
  `/services/mirror/${REST}?a=%00`,
];

const authorization = 'Authorization: Bearer masters-token';
const expectRefused = (path: string, status: number): void => {
  expect([path, [400, 404].includes(status), fleet.shard.requests, fleet.service.requests]).toEqual([path, true, [], []]);
};

describe('nobody behind is asked, by masters either, for', () => {
  test.each(corpus)('%s', async path => {
    const head = `GET ${path} HTTP/1.1\r\nHost: a\r\n${authorization}\r\nConnection: close\r\n\r\n`;
    expectRefused(path, statusOf(await askRaw(fleet.port, head)));
    const { end, text } = await askFrames(fleet.port, fieldsOf({ path, token: 'masters-token' }));
    if (end === 'answered') expectRefused(path, JSON.parse(text).code);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });

  test.each([
    ['absolute form', `http://a/services/mirror/${REST}`],
    ['the form of an authority', 'a:443'],
    ['an asterisk', '*'],
    ['no slash', `services/mirror/${REST}`],
    ['bytes beyond ASCII', `/services/mirror/clusters/r\xf6\xf6t/api/v1/secrets`],
  ])('a target that is %s', async (_, target) => {
    const head = `GET ${target} HTTP/1.1\r\nHost: a\r\n${authorization}\r\nConnection: close\r\n\r\n`;
    expectRefused(target, statusOf(await askRaw(fleet.port, head)));
    const { end, text } = await askFrames(fleet.port, fieldsOf({ path: target, token: 'masters-token' }));
    if (end === 'answered') expectRefused(target, JSON.parse(text).code);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });
});

// The way back: what is not ambiguous passes untouched, since a changed byte is another object.
test.each(protocols)('over HTTP/%s what follows the name of an object arrives in the bytes that were sent', async protocol => {
  const paths = [
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aadmin',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/a%2Fb',
    '/api/v1/namespaces/default/services/http:x:80/proxy/a%2fb/c',
    '/api/v1/namespaces/default/configmaps/x?fieldManager=a%20b+c&pretty=%74rue',
    '/api/v1/namespaces/default/configmaps/',
  ];
  for (const path of paths) {
    fleet.forget();
    await ask(fleet.port, protocol, { token: 'alice-token', path: `/services/mirror/clusters/root:a${path}` });
    expect(fleet.shard.requests.map(({ url }) => url)).toEqual([`/clusters/root:a${path}`]);
    await ask(fleet.port, protocol, { token: 'alice-token', path: `${RECORDED}${path}` });
    expect(fleet.service.last.url).toBe(`${RECORDED}${path}`);
  }
});
