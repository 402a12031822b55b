/**
 * Row 2: only the headers of the default names are stripped (kubernetes/kubernetes#119631). Where a proxy is configured to believe other
 * names, the default ones and the others are both dangerous: one to the proxy, one to what stands behind it.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols, RECORDED } from './clients.fixture.ts';
import { ALLOWED_PROXY, requestHeaderCA, startFleet } from './fleet.fixture.ts';
import { identityOf } from './recording.fixture.ts';

const fleet = await startFleet({
  flags: [
    '--requestheader-username-headers=X-Custom-User',
    '--requestheader-group-headers=X-Custom-Group',
    '--requestheader-uid-headers=X-Custom-Uid',
    '--requestheader-extra-headers-prefix=X-Custom-Extra-',
  ],
});
beforeEach(fleet.forget);
afterAll(cleanUp);

const named = (prefix: string, name: string) => ({
  [`${prefix}User`]: name,
  [`${prefix}Group`]: ['system:masters', name],
  [`${prefix}Uid`]: name,
  [`${prefix}Extra-Authorization.kcp.io%2fWarrant`]: name,
});
const proxy = requestHeaderCA.issue({ commonName: ALLOWED_PROXY, usage: 'client' });

describe.each(protocols)('over HTTP/%s', protocol => {
  test('a user’s headers of both names vanish', async () => {
    const headers = { ...named('X-Remote-', 'mallory'), ...named('X-Custom-', 'mallory') };
    await ask(fleet.port, protocol, { token: 'alice-token', path: RECORDED, headers });
    await ask(fleet.port, protocol, { token: 'alice-token', headers });
    expect(identityOf(fleet.service.last)).toContain('x-remote-user: alice');
    expect(identityOf(fleet.shard.last)).toContain('impersonate-user: alice');
    expect(fleet.service.everything + fleet.shard.everything).not.toMatch(/mallory|custom/i);
  });

  test('of an allowed proxy only those of the configured names are believed, and none is passed on', async () => {
    const headers = { ...named('X-Remote-', 'mallory'), ...named('X-Custom-', 'carol') };
    await ask(fleet.port, protocol, { pair: proxy, path: RECORDED, headers });
    expect(identityOf(fleet.service.last)).toEqual([
      'x-kcp-vw-authenticated-by: request-header',
      'x-remote-extra-authorization.kcp.io%2fwarrant: carol',
      ...['x-remote-group: carol', 'x-remote-group: system:authenticated', 'x-remote-group: system:masters'],
      ...['x-remote-uid: carol', 'x-remote-user: carol'],
    ]);
    expect(fleet.service.everything).not.toMatch(/mallory|custom/i);
  });

  // The name got lost on the way; nobody must not become the proxy itself.
  test('an allowed proxy that uses the default names speaks for nobody', async () => {
    const { status } = await ask(fleet.port, protocol, { pair: proxy, headers: named('X-Remote-', 'mallory') });
    expect([status, fleet.shard.requests]).toEqual([401, []]);
  });
});
