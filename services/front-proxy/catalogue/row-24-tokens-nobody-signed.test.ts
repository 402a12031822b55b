/**
 * Row 24: JSON Web Tokens that are believed for what they say: `alg: none`, HS256 with the public key as the secret, another audience. On
 * `/services` nothing is read out of a token here. Who issued it is asked, for each token once, however often it comes.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, protocols, RECORDED } from './clients.fixture.ts';
import { serverCA, startFleet } from './fleet.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = {
  ...{ iss: 'https://kcp.default.svc', aud: ['https://kcp.default.svc'], exp: 9_999_999_999, sub: 'mallory' },
  groups: ['system:masters'],
};
const signed = (header: object, key = ''): string => {
  const text = `${part(header)}.${part({ ...claims, jti: Math.random() })}`;
  return `${text}.${key && createHmac('sha256', key).update(text).digest('base64url')}`;
};

const tokens: Record<string, () => string> = {
  'alg: none': () => signed({ alg: 'none' }),
  'alg: None': () => signed({ alg: 'None', typ: 'JWT' }),
  'HS256 with a public key as its secret': () => signed({ alg: 'HS256' }, serverCA.certPem),
  'an unknown kid': () => signed({ alg: 'RS256', kid: String(Math.random()) }, 'x'),
  'a key of its own': () => signed({ alg: 'RS256', jku: 'https://evil.example/jwks.json', x5u: 'https://evil.example' }, 'x'),
};

describe.each(protocols)('over HTTP/%s', protocol => {
  test.each(Object.keys(tokens))('a token with %s is what its reviewer says: nobody', async what => {
    const token = tokens[what]?.() ?? '';
    for (const path of [undefined, RECORDED]) {
      expect((await ask(fleet.port, protocol, { token, ...(path && { path }) })).status).toBe(401);
    }
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
    expect(fleet.reviewer.requests).toHaveLength(1);
  });

  test('a storm of requests with one bad token is one review', async () => {
    const token = signed({ alg: 'RS256', kid: 'storm' }, 'x');
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(fleet.port, protocol, { token })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(fleet.reviewer.requests).toHaveLength(1);
  });
});
