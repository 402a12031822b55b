import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import { parseFlags } from '@kcp-vw/shared/config/flags.ts';
import { createForgeryCheck } from './header-forgery.ts';

const caller: Caller = { name: 'ada', uid: '', groups: [], extra: {}, method: 'token' };
const proxied: Caller = { ...caller, method: 'request-header' };
const impersonated: Caller = { ...caller, impersonator: { name: 'shard', uid: '', groups: ['system:masters'], extra: {} } };

const { requestHeader } = parseFlags(['--kubeconfig=x']);
const isForged = createForgeryCheck(requestHeader);
const custom = createForgeryCheck({
  ...{
    allowedNames: [],
    usernameHeaders: ['Our-User'],
    groupHeaders: ['Our-Group'],
    uidHeaders: [],
    extraHeaderPrefixes: ['Our-Extra-'],
  },
});

describe('a request forges identity headers', () => {
  test.each([
    'X-Remote-User',
    'x-rEmOtE-group',
    'X-Remote-Uid',
    'x-ReMoTe-eXtRa-authorization.kcp.io%2fwarrant',
    'X_Remote_User',
    'X-Kcp-Vw-Impersonator',
    'x-kcp-vw-authenticated-by',
    'Impersonate-User',
    'impersonate-extra-scopes',
  ])('that sends %s and may not', name => {
    expect(isForged(['accept', '*/*', name, 'x'], caller)).toBe(true);
    expect(isForged(['accept', '*/*', name, 'x'], undefined)).toBe(true);
  });

  test.each(['X-Remote-User', 'our-user', 'OUR-GROUP', 'Our-Extra-scopes'])(
    'that sends %s where that name is configured',
    name => {
      expect(custom(['accept', '*/*', name, 'x'], caller)).toBe(true);
      expect(custom([name, 'x'], proxied)).toBe(false);
    },
  );

  test.each(['X-Request-Id', 'If-Match', 'x-remoteness', 'Our-User', 'x-kcp-virtual-resource-hops'])(
    'not when it sends %s',
    name => {
      expect(isForged([name, 'x'], caller)).toBe(false);
    },
  );

  test('not when a trusted proxy sends them, or masters impersonate', () => {
    expect(isForged(['X-Remote-User', 'ada', 'X-Remote-Group', 'dev'], proxied)).toBe(false);
    expect(isForged(['Impersonate-User', 'ada'], impersonated)).toBe(false);
  });

  test('when one that may do the one does the other', () => {
    expect(isForged(['Impersonate-User', 'ada', 'X-Remote-User', 'admin'], impersonated)).toBe(true);
  });
});
