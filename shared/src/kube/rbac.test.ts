import { describe, expect, test } from '@jest/globals';
import type { RequestRef } from './errors.ts';
import { type PolicyRule, rulesAllow } from './rbac.ts';

const request = (over: Partial<RequestRef> = {}): RequestRef => ({
  isResourceRequest: true,
  path: '/api/v1/namespaces/default/pods/a',
  verb: 'get',
  apiGroup: '',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: 'a',
  ...over,
});
const rule = (over: Partial<PolicyRule> = {}): PolicyRule => ({ verbs: ['get'], apiGroups: [''], resources: ['pods'], ...over });

describe('a rule on resources', () => {
  test.each<[string, boolean, Partial<PolicyRule>, Partial<RequestRef>]>([
    ['allows what it names', true, {}, {}],
    ['refuses another verb', false, {}, { verb: 'delete' }],
    ['refuses another group', false, {}, { apiGroup: 'apps' }],
    ['refuses another resource', false, {}, { resource: 'secrets' }],
    ['allows every verb by *', true, { verbs: ['*'] }, { verb: 'impersonate' }],
    ['allows every group by *', true, { apiGroups: ['*'] }, { apiGroup: 'apps' }],
    ['allows every resource by *', true, { resources: ['*'] }, { resource: 'secrets' }],
    ['allows every subresource by *', true, { resources: ['*'] }, { subresource: 'log' }],
    ['refuses the subresource of a resource it names', false, {}, { subresource: 'log' }],
    ['allows a subresource it names', true, { resources: ['pods/log'] }, { subresource: 'log' }],
    ['refuses the resource of a subresource it names', false, { resources: ['pods/log'] }, {}],
    ['refuses another subresource', false, { resources: ['pods/log'] }, { subresource: 'exec' }],
    ['allows the subresource of every resource', true, { resources: ['*/scale'] }, { subresource: 'scale' }],
    ['refuses another subresource of every resource', false, { resources: ['*/scale'] }, { subresource: 'log' }],
    ['refuses the resource by a subresource of every resource', false, { resources: ['*/scale'] }, {}],
    ['knows no wildcard for the subresources of one resource', false, { resources: ['pods/*'] }, { subresource: 'log' }],
    ['allows a name it lists', true, { resourceNames: ['b', 'a'] }, {}],
    ['refuses a name it does not list', false, { resourceNames: ['b'] }, {}],
    ['with names refuses a request without one', false, { verbs: ['list'], resourceNames: ['a'] }, { verb: 'list', name: '' }],
    ['takes * for a name literally', false, { resourceNames: ['*'] }, {}],
    ['without groups matches nothing', false, { apiGroups: [] }, {}],
    ['does not match a path', false, { resources: ['*'] }, { isResourceRequest: false, path: '/version' }],
  ])('%s', (_, allowed, ruleOver, requestOver) => {
    expect(rulesAllow([rule(ruleOver)], request(requestOver))).toBe(allowed);
  });
});

describe('a rule on paths', () => {
  test.each<[string, string, boolean]>([
    ['/healthz', '/healthz', true],
    ['/healthz', '/healthz/etcd', false],
    ['/healthz', '/healthz/', false],
    ['/healthz/*', '/healthz/etcd', true],
    ['/healthz/*', '/healthz', false],
    ['/api*', '/apis', true],
    ['/api**', '/apis', true],
    ['*', '/version', true],
    ['/*/x', '/a/x', false],
  ])('%s on %s: %s', (url, path, allowed) => {
    const found = rulesAllow([{ verbs: ['get'], nonResourceURLs: [url] }], request({ isResourceRequest: false, path }));
    expect(found).toBe(allowed);
  });

  test('does not allow a resource, though its path matches', () => {
    expect(rulesAllow([{ verbs: ['*'], nonResourceURLs: ['*'] }], request())).toBe(false);
  });
});

test('one rule that allows is enough, and no rules allow nothing', () => {
  expect(rulesAllow([rule({ verbs: ['list'] }), rule()], request())).toBe(true);
  expect(rulesAllow([], request())).toBe(false);
});
